"""A carrier that records its calls, and the topics of an adapter under the topic prefix of one test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from didflow.embedded.wait import until
from didflow_adapters.kit import Adapter, AdapterSettings, Outcome, Succeeded
from didflow_contracts.envelope import Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

RESULT_TYPES = {ResultReported.type(): ResultReported}
SECONDS = 30.0


class RecordingCarrier:
    """A carrier that records each call. `answer` returns the outcome; the default is a success."""

    name = "simulator"

    def __init__(self, answer: Callable[[CarrierCommandIssued], Any] | None = None) -> None:
        self.calls: list[CarrierCommandIssued] = []
        self._answer = answer

    async def _execute(self, command: CarrierCommandIssued, parameters: Any) -> Outcome:
        self.calls.append(command)
        if self._answer is None:
            return Succeeded(carrier_reference="REF")
        outcome: Outcome = await self._answer(command)
        return outcome

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = _execute


class Topics:
    """Publishes carrier commands and receives results, under the topic prefix of one test."""

    def __init__(
        self, kafka: str, prefix: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        self.kafka, self.prefix, self._producer, self._consumer = kafka, prefix, producer, consumer
        self.results: list[Event[Any]] = []
        self.records: list[Any] = []

    async def publish(self, *commands: Event[CarrierCommandIssued]) -> None:
        """Publish commands as provisioning does."""
        for command in commands:
            await self.publish_value(encode(command), command.subject.encode())

    async def publish_value(self, value: bytes | None, key: bytes) -> None:
        """Publish any value to the topic of the commands."""
        await self._producer.send_and_wait(self.prefix + CarrierCommandIssued.topic, value, key=key)

    async def receive(self, count: int, *, within: float = SECONDS) -> list[ResultReported]:
        """Wait until there are this many results in all. Return them in the order of arrival."""

        async def is_complete() -> bool:
            for records in (await self._consumer.getmany(timeout_ms=50)).values():
                self.records += records
                self.results += [decode(r.value, r.headers, types=RESULT_TYPES) for r in records]
            return len(self.results) >= count

        await until(is_complete, within=within, what=f"{count} results")
        return [result.data for result in self.results]

    async def has_result_for(self, number: str) -> bool:
        """Return True if a result for this number has arrived."""
        await self.receive(len(self.results))
        return any(result.data.number == number for result in self.results)

    async def has_results(self, *commands: Event[CarrierCommandIssued]) -> bool:
        """Return True if a result for each of these commands has arrived."""
        await self.receive(len(self.results))
        answered = {result.data.command_id for result in self.results}
        return all(command.data.command_id in answered for command in commands)

    async def all_committed(self) -> None:
        """Wait until the adapter's group has committed all commands."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            topic = self.prefix + CarrierCommandIssued.topic
            ends = await self._consumer.end_offsets([TopicPartition(topic, p) for p in range(12)])

            async def is_committed() -> bool:
                found = await admin.list_consumer_group_offsets(f"{self.prefix}adapter-simulator")
                return all(not end or (p in found and found[p].offset == end) for p, end in ends.items())

            await until(is_committed, within=SECONDS, what="commits")
        finally:
            await admin.close()


@asynccontextmanager
async def running(topics: Topics, carrier: Any, **settings: Any) -> AsyncIterator[Adapter]:
    """Run an adapter during the block, and stop it in order."""
    adapter = Adapter(carrier, AdapterSettings(kafka=topics.kafka, topic_prefix=topics.prefix, **settings))
    task = asyncio.create_task(adapter.run())
    try:
        yield adapter
    finally:
        adapter.stop()
        await task
