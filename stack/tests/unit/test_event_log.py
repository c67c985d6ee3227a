"""What the demo reads from the topics, and the lines that it prints."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from didflow.demo.event_log import EventLog
from didflow_contracts.events import EVENTS

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


@pytest.mark.parametrize("topic", [event.topic for event in EVENTS])
def test_every_event_can_be_received_twice(log: EventLog, topic: str) -> None:
    """Any event of the contract can be received, once or twice."""
    log.receive(event(topic))
    log.receive(event(topic))
    assert log.received == 2


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[]", b"{}", b'{"data": []}'])
def test_a_record_that_is_not_an_event_is_only_counted(
    log: EventLog, lines: list[str], value: bytes | None
) -> None:
    """The invalid line of the examples is such a record."""
    log.receive(record("p.did.purchased", value))
    assert (log.received, lines) == (1, [])


def test_a_carrier_command_is_open_until_its_final_result(log: EventLog) -> None:
    """A retryable failure is not final."""
    log.receive(event("provisioning.commands", command_id="1"))
    log.receive(event("provisioning.commands", command_id="2"))
    assert log.open_commands == 2
    log.receive(event("provisioning.results", command_id="1", outcome="failed", retryable=True, code="x"))
    log.receive(event("provisioning.commands", command_id="1", attempt=2))
    assert log.open_commands == 2
    log.receive(event("provisioning.results", command_id="1", outcome="succeeded", attempt=2))
    log.receive(event("provisioning.results", command_id="2", outcome="failed", retryable=False, code="x"))
    assert log.open_commands == 0


def test_important_events_are_printed(log: EventLog, lines: list[str]) -> None:
    """Refusals, decisions about details, carrier results, and each change of status."""
    told = ("purchase.refused", "verification.rejected", "did.activated", "did.status_changed")
    for topic in told:
        log.receive(event(topic))
    assert len(lines) == len(told)
    assert "refused" in lines[0]
    log.receive(event("term.changed"))
    assert len(lines) == len(told)


def test_charges_of_a_did_are_counted(log: EventLog) -> None:
    """A second charge for the first period shows a doubled purchase. The same charge published again does not count."""
    first = event("ledger.posted", did_id="a", kind="recurring", entry_id="1")
    log.receive(first)
    log.receive(first)
    log.receive(event("ledger.posted", did_id="a", kind="setup", entry_id="2"))
    assert log.charged == {"a": 1}
    log.receive(event("ledger.posted", did_id="a", kind="recurring", entry_id="3"))
    assert log.charged == {"a": 2}
