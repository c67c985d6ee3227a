"""Topics are read in the order of time, on the embedded Kafka."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from didflow.embedded.kafka import EmbeddedKafka
from didflow.tail import Tail, reading_topics
from didflow.time_order import HOLD_S
from didflow_chassis.settings import Settings, load

TOPICS = ("orders", "results", "empty")
BEGIN = 1_772_441_104_000


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedKafka]:
    async with await EmbeddedKafka.start(TOPICS) as started:
        yield started


@pytest.fixture
async def producer(broker: EmbeddedKafka) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as started:
        yield started


def settings(broker: EmbeddedKafka) -> Settings:
    return load(Settings, kafka=broker.bootstrap, postgres="postgresql://unused/unused", production=False)


async def taken(tail: Tail, count: int, *, hold_s: float = HOLD_S) -> list[int]:
    """Return the timestamps of the next records, counted from the beginning."""
    times: list[int] = []
    async with asyncio.timeout(20):
        async for records in tail.by_time(hold_s=hold_s):
            times += [record.timestamp - BEGIN for record in records]
            if len(times) >= count:
                break
    return times


async def send(producer: AIOKafkaProducer, time: int, topic: str) -> None:
    await producer.send_and_wait(topic, b"v", partition=time % 4, timestamp_ms=BEGIN + time)


async def test_stored_records_of_all_partitions_come_in_exact_order(
    broker: EmbeddedKafka, producer: AIOKafkaProducer
) -> None:
    """Two topics with four partitions each, written one after the other. A third topic has no records."""
    for start, topic in enumerate(TOPICS[:2]):
        for time in range(start, 600, 2):
            await producer.send(topic, b"v" * 2_000, partition=time // 2 % 4, timestamp_ms=BEGIN + time)
    await producer.flush()
    async with reading_topics(settings(broker), TOPICS, from_start=True) as tail:
        assert await taken(tail, 600) == list(range(600))


async def test_new_records_that_arrive_together_are_sorted(
    broker: EmbeddedKafka, producer: AIOKafkaProducer
) -> None:
    """The oldest record is not written first, and the hold of a moment puts it there. Older records are not read."""
    await send(producer, 1, "orders")
    async with reading_topics(settings(broker), TOPICS, from_start=False) as tail:
        reader = asyncio.create_task(taken(tail, 4, hold_s=2))
        for time, topic in ((7, "orders"), (6, "results"), (4, "orders"), (5, "orders")):
            await send(producer, time, topic)
        assert await reader == [4, 5, 6, 7]
