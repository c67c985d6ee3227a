"""Reading topics as they grow, without a group: nobody else's offsets are touched."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from didflow.problems import BadInput, Missing
from didflow_chassis.brokers import MAX_RECORD_BYTES, connection
from didflow_chassis.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Tail:
    """An open reader of topics, and how many records lay before where it began."""

    consumer: AIOKafkaConsumer

    async def records(self) -> AsyncIterator[ConsumerRecord]:
        """Give records for ever, each partition's in order."""
        async for record in self.consumer:
            yield record


@asynccontextmanager
async def tailing(settings: Settings, topics: Iterable[str], *, from_start: bool) -> AsyncIterator[Tail]:
    """Read topics, named without the installation's prefix. Raises Missing, BadInput."""
    consumer = AIOKafkaConsumer(
        **connection(settings),
        client_id="didflow-events",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_start else "latest",
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        fetch_max_wait_ms=50,
    )
    try:
        await consumer.start()
    except (KafkaError, OSError) as error:
        await consumer.stop()
        raise Missing(f"Kafka at {settings.kafka} cannot be used: {type(error).__name__}") from None
    try:
        await _assign(consumer, [settings.topic_prefix + name for name in topics], from_start=from_start)
        yield Tail(consumer=consumer)
    finally:
        await consumer.stop()


async def _assign(consumer: AIOKafkaConsumer, topics: list[str], *, from_start: bool) -> None:
    there = await consumer.topics()
    missing = [name for name in topics if name not in there]
    if missing:
        raise BadInput(f"no such topic: {', '.join(missing)}")
    partitions = [TopicPartition(name, number) for name in topics for number in _numbers(consumer, name)]
    consumer.assign(partitions)
    if from_start:
        await consumer.seek_to_beginning(*partitions)
    else:
        await consumer.seek_to_end(*partitions)


def _numbers(consumer: AIOKafkaConsumer, topic: str) -> Iterable[int]:
    return sorted(consumer.partitions_for_topic(topic) or ())
