"""Reads topics continuously, without a consumer group: it changes no offsets of others."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from didflow.errors import BadInput, Missing
from didflow.time_order import HOLD_S, TimeOrder
from didflow_chassis.kafka_clients import MAX_RECORD_BYTES, connection
from didflow_chassis.settings import Settings

_PAUSE_MS: Final = 100


@dataclass(frozen=True, kw_only=True)
class Tail:
    """An open reader of topics. `stored` is where the stored records of each partition end."""

    consumer: AIOKafkaConsumer
    stored: Mapping[TopicPartition, int]

    async def records(self) -> AsyncIterator[ConsumerRecord]:
        """Yield records without end. The records of a partition are in order."""
        async for record in self.consumer:
            yield record

    async def by_time(self, *, hold_s: float = HOLD_S) -> AsyncIterator[list[ConsumerRecord]]:
        """Yield records of all partitions in the order of time, without end. An empty list: no record for a moment."""
        order: TimeOrder[ConsumerRecord] = TimeOrder(self.stored, hold_s=hold_s)
        clock = asyncio.get_running_loop().time
        while True:
            for partition in order.unread:
                if await self.consumer.position(partition) >= self.stored[partition]:
                    order.complete(partition)
            taken = await self.consumer.getmany(*order.awaited, timeout_ms=_PAUSE_MS)
            for partition, records in taken.items():
                order.add(partition, records, clock())
            yield list(order.released(clock()))


@asynccontextmanager
async def reading_topics(
    settings: Settings, topics: Iterable[str], *, from_start: bool
) -> AsyncIterator[Tail]:
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
        partitions = await partitions_of(settings, [settings.topic_prefix + name for name in topics])
        await consumer.start()
        consumer.assign(partitions)
        await (consumer.seek_to_beginning if from_start else consumer.seek_to_end)(*partitions)
        stored = await consumer.end_offsets(partitions) if from_start else {}
        yield Tail(consumer=consumer, stored=stored)
    except (KafkaError, OSError) as error:
        raise Missing(f"Kafka at {settings.kafka} does not answer: {type(error).__name__}") from None
    finally:
        await consumer.stop()


async def partitions_of(settings: Settings, topics: Iterable[str]) -> list[TopicPartition]:
    """Return the partitions of topics, given with their prefix. Raises BadInput for an unknown topic, KafkaError."""
    admin: Any = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    finally:
        await admin.close()
    missing = [name for name in topics if name not in there]
    if missing:
        raise BadInput(f"There is no topic {', '.join(missing)}.")
    return [TopicPartition(name, number) for name in topics for number in range(there[name])]
