"""Both topics of an adapter: publishes commands, and receives the results of the commands of this run."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from didflow.conformance.commands import Command
from didflow.errors import Missing
from didflow_chassis.kafka_clients import MAX_RECORD_BYTES, connection
from didflow_chassis.settings import Settings
from didflow_contracts.envelope import BadEvent, Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

_POLL_MS: Final = 20
_TYPES: Final = {ResultReported.type(): ResultReported}
_CONTENT: Final = [("content-type", b"application/cloudevents+json; charset=utf-8")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One result with the key, the partition and the time of its record. The time is in milliseconds."""

    event: Event[ResultReported]
    key: bytes | None
    partition: int
    published_ms: int

    @property
    def data(self) -> ResultReported:
        """The result."""
        return self.event.data


@dataclass(kw_only=True)
class Exchange:
    """The commands that were published, the results that were received, and the records that are no results."""

    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    prefix: str
    partitions: int
    published: list[Command] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    _ids: set[UUID] = field(default_factory=set)
    _publishing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _reading: asyncio.Task[None] | None = None

    def partition_of(self, number: str) -> int:
        """Return the partition of the records of a number."""
        return int((murmur2(number.encode()) & 0x7FFFFFFF) % self.partitions)

    async def publish(self, *commands: Command, pause_s: float = 0.0) -> None:
        """Publish commands in this order. Nothing else is published meanwhile. The pause is after the first one."""
        async with self._publishing:
            for position, command in enumerate(commands):
                self.expect(command)
                await self._send(encode(command), command.subject)
                if pause_s and not position:
                    await asyncio.sleep(pause_s)

    def expect(self, command: Command) -> None:
        """Receive the results of this command, too."""
        self.published.append(command)
        self._ids.add(command.data.command_id)

    async def publish_value(self, value: bytes | None, number: str) -> None:
        """Publish any value to the topic of the commands."""
        async with self._publishing:
            await self._send(value, number)

    async def _send(self, value: bytes | None, number: str) -> None:
        topic = self.prefix + CarrierCommandIssued.topic
        await self.producer.send_and_wait(topic, value, key=number.encode(), headers=_CONTENT)

    async def receive(self) -> None:
        """Read what has arrived, for some milliseconds. All who ask meanwhile wait for the same reading."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        for records in (await self.consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                self._take(record)

    def results_of(self, command: Command) -> list[Received]:
        """Return the results of all attempts at a command, in the order of their arrival."""
        return [one for one in self.received if one.data.command_id == command.data.command_id]

    def _take(self, record: ConsumerRecord) -> None:
        try:
            event: Any = decode(record.value, record.headers, types=_TYPES, topic=ResultReported.topic)
        except BadEvent as error:
            self.bad.append(f"{error.code}: {error.reason}")
            return
        if event.data.command_id in self._ids:
            self.received.append(
                Received(
                    event=event, key=record.key, partition=record.partition, published_ms=record.timestamp
                )
            )


@asynccontextmanager
async def exchange(settings: Settings) -> AsyncIterator[Exchange]:
    """Open both topics. Results that were published before are not read. Raises Missing."""
    options = connection(settings)
    producer = AIOKafkaProducer(**options, acks="all", max_request_size=MAX_RECORD_BYTES)
    consumer = AIOKafkaConsumer(
        **options, group_id=None, enable_auto_commit=False, auto_offset_reset="latest", fetch_max_wait_ms=20
    )
    async with _started(settings, producer), _started(settings, consumer):
        topic = settings.topic_prefix + ResultReported.topic
        partitions = consumer.partitions_for_topic(topic) or await _partitions(producer, topic)
        assigned = [TopicPartition(topic, number) for number in sorted(partitions)]
        consumer.assign(assigned)
        for partition, end in (await consumer.end_offsets(assigned)).items():
            consumer.seek(partition, end)
        yield Exchange(
            producer=producer, consumer=consumer, prefix=settings.topic_prefix, partitions=len(assigned)
        )


@asynccontextmanager
async def _started(settings: Settings, client: Any) -> AsyncIterator[None]:
    try:
        await client.start()
        yield
    except KafkaError as error:
        raise Missing(f"Kafka at {settings.kafka} does not answer: {type(error).__name__}") from None
    finally:
        await asyncio.shield(client.stop())


async def _partitions(producer: AIOKafkaProducer, topic: str) -> Iterable[int]:
    found: Iterable[int] = await producer.partitions_for(topic)
    return found
