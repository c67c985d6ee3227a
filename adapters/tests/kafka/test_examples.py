"""The example adapters in Python, Node and Go on a real Kafka. Their conformance: stack/tests/kafka."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2
from harness.example_adapters import PROGRAMS
from harness.processes import Processes, until

from didflow_contracts.envelope import Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

PARTITIONS = 12
SECONDS = 40.0


class Topics:
    """Publishes carrier commands to one carrier, and receives the results."""

    def __init__(self, prefix: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self.prefix, self._producer, self._consumer = prefix, producer, consumer
        self.records: list[Any] = []

    async def publish(self, *commands: Event[CarrierCommandIssued] | bytes) -> None:
        """Publish commands as provisioning does, and bytes as they are."""
        for command in commands:
            value, key = (
                (command, b"x") if isinstance(command, bytes) else (encode(command), command.subject.encode())
            )
            await self._producer.send_and_wait(self.prefix + CarrierCommandIssued.topic, value, key=key)

    async def receive(self, count: int) -> list[Event[ResultReported]]:
        """Wait for this many results in all. Return them in the order of arrival."""

        async def is_complete() -> bool:
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                self.records += records
            return len(self.records) >= count

        await until(is_complete, within=SECONDS, what=f"{count} results")
        types: Any = {ResultReported.type(): ResultReported}
        return [decode(record.value, record.headers, types=types) for record in self.records]


@pytest.fixture
async def results(kafka: str, topics: str) -> AsyncIterator[Topics]:
    """The topics of this test."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(
        topics + ResultReported.topic, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    yield Topics(topics, producer, consumer)
    await consumer.stop()
    await producer.stop()


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
    language: str, start: Any, results: Topics, new_command: Any
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
    await results.publish(b"{", b"null", b'{"type":"didflow.provisioning.commands.v1"}', other)
    await results.publish(first, busy, again, unknown, first)

    events = await results.receive(5)

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
    for event, record in zip(events, results.records, strict=True):
        command = of[event.causationid].data
        assert (event.source, event.correlationid) == ("/carriers/acme", "purchase-1")
        for name in ("did_id", "number", "account", "command_id", "attempt"):
            assert getattr(event.data, name) == getattr(command, name)
        assert record.key == command.number.encode()
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS
        assert ("content-type", b"application/cloudevents+json") in record.headers
    assert len({event.id for event in events}) == len(events)
