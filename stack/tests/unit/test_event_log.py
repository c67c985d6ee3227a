"""What the demo hears on the topics, and what it says of it."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from didflow.demo.event_log import EventLog
from didflow_contracts.topics import TOPICS

EXAMPLES = Path(__file__).parents[3] / "examples" / "events"


def record(topic: str, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord(topic, 0, 0, 0, 0, None, value, None, -1, -1, ())


def event(topic: str, **changes: Any) -> ConsumerRecord:
    whole = orjson.loads((EXAMPLES / f"{topic}.json").read_bytes())
    whole["data"] |= changes
    return record(f"p.{topic}", orjson.dumps(whole))


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def log(lines: list[str]) -> EventLog:
    return EventLog(tell=lines.append, prefix="p.")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_is_heard_and_none_disturbs(log: EventLog, topic: str) -> None:
    """Any event of the contract can be taken, twice as well."""
    log.receive(event(topic))
    log.receive(event(topic))
    assert log.received == 2


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[]", b"{}", b'{"data": []}'])
def test_what_is_no_event_only_counts(log: EventLog, lines: list[str], value: bytes | None) -> None:
    """The broken line of the examples passes by."""
    log.receive(record("p.did.purchased", value))
    assert (log.received, lines) == (1, [])


def test_an_order_is_open_until_it_is_done_or_refused_for_good(log: EventLog) -> None:
    """An answer that will be tried again settles nothing."""
    log.receive(event("provisioning.commands", command_id="1"))
    log.receive(event("provisioning.commands", command_id="2"))
    assert log.open_commands == 2
    log.receive(event("provisioning.results", command_id="1", outcome="failed", retryable=True, code="x"))
    log.receive(event("provisioning.commands", command_id="1", attempt=2))
    assert log.open_commands == 2
    log.receive(event("provisioning.results", command_id="1", outcome="succeeded", attempt=2))
    log.receive(event("provisioning.results", command_id="2", outcome="failed", retryable=False, code="x"))
    assert log.open_commands == 0


def test_what_a_person_would_want_to_see_is_said(log: EventLog, lines: list[str]) -> None:
    """Refusals, decisions about details, the carrier's answers, each change of status."""
    told = ("purchase.refused", "verification.rejected", "did.activated", "did.status_changed")
    for topic in told:
        log.receive(event(topic))
    assert len(lines) == len(told)
    assert "refused" in lines[0]
    log.receive(event("term.changed"))
    assert len(lines) == len(told)


def test_charges_of_a_did_are_counted(log: EventLog) -> None:
    """A second first period would give a doubled purchase away; the same one said again does not."""
    first = event("ledger.posted", did_id="a", kind="recurring", entry_id="1")
    log.receive(first)
    log.receive(first)
    log.receive(event("ledger.posted", did_id="a", kind="setup", entry_id="2"))
    assert log.charged == {"a": 1}
    log.receive(event("ledger.posted", did_id="a", kind="recurring", entry_id="3"))
    assert log.charged == {"a": 2}
