"""The example adapters in Python, Node and Go on a real Kafka. Their conformance: stack/tests/kafka."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import murmur2
from harness.carrier_topics import Topics
from harness.example_adapters import PROGRAMS
from harness.processes import Processes

PARTITIONS = 12
SECONDS = 40.0


@pytest.fixture
def start(kafka: str, topics: str, processes: Processes, tmp_path: Path) -> Any:
    """Starts an example as the carrier `acme`."""
    env = {
        "DIDFLOW_KAFKA": kafka,
        "DIDFLOW_TOPIC_PREFIX": topics,
        "DIDFLOW_CARRIER": "acme",
        "DIDFLOW_OUTCOMES": str(tmp_path / "outcomes"),
    }

    def start_example(language: str, name: str = "adapter") -> Any:
        return processes.start(name, PROGRAMS[language](), env=env)

    return start_example


@pytest.mark.builds_go
@pytest.mark.parametrize("language", PROGRAMS)
async def test_an_example_answers_each_attempt_as_the_contract_says(
    language: str, start: Any, kafka_topics: Topics, new_command: Any
) -> None:
    """Commands of other carriers and bad records are skipped. Key, partition and attributes follow the contract."""
    start(language)
    first = new_command("activate", carrier="acme")
    busy = new_command("activate", "+35319609992", carrier="acme")
    again = new_command(
        "activate", "+35319609992", carrier="acme", command_id=busy.data.command_id, attempt=2
    )
    unknown = new_command("activate", "+35319609991", carrier="acme")
    other = new_command("activate", "+35319609037", carrier="another")
    for bad in (b"{", b"null", b'{"type":"didflow.provisioning.commands.v1"}'):
        await kafka_topics.publish_value(bad, b"x")
    await kafka_topics.publish(other, first, busy, again, unknown, first)

    await kafka_topics.receive(5, within=SECONDS)
    events = kafka_topics.results

    of = {command.id: command for command in (first, busy, again, unknown)}
    outcomes = {
        event.causationid: (event.data.outcome, event.data.retryable, event.data.code) for event in events
    }
    assert outcomes == {
        first.id: ("succeeded", False, None),
        busy.id: ("failed", True, "carrier_unavailable"),
        again.id: ("succeeded", False, None),
        unknown.id: ("failed", False, "number_unknown"),
    }
    for event, record in zip(events, kafka_topics.records, strict=True):
        command = of[event.causationid].data
        assert (event.source, event.correlationid) == ("/carriers/acme", "purchase-1")
        for name in ("did_id", "number", "account", "command_id", "attempt"):
            assert getattr(event.data, name) == getattr(command, name)
        assert record.key == command.number.encode()
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS
        assert ("content-type", b"application/cloudevents+json") in record.headers
    assert len({event.id for event in events}) == len(events)
