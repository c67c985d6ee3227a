"""A proxy that replays: it publishes every record again, in its partition and in one that another worker reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from faults.installation import Installation
from harness.fault_journal import JOURNAL

from didflow.tail import partitions_of
from didflow_chassis.kafka_clients import connection
from didflow_contracts.topics import TOPICS


@asynccontextmanager
async def replaying(installation: Installation) -> AsyncIterator[set[tuple[str, bytes]]]:
    """Repeat what is published during the block, in order. Return the records repeated so far."""
    settings = installation.settings
    repeated: set[tuple[str, bytes]] = set()
    partitions = await partitions_of(settings, [settings.topic_prefix + name for name in TOPICS])
    consumer = AIOKafkaConsumer(**connection(settings), group_id=None, fetch_max_wait_ms=10)
    producer = AIOKafkaProducer(**connection(settings), acks="all", enable_idempotence=True)
    await producer.start()
    await consumer.start()
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    count = len(partitions) // len(TOPICS)
    task = asyncio.create_task(_replay(consumer, producer, count, repeated))
    try:
        yield repeated
    finally:
        JOURNAL.once("all records replayed")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()
        await producer.stop()


async def _replay(
    consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, count: int, repeated: set[tuple[str, bytes]]
) -> None:
    """Repeat each record in its partition and half the partitions further, which belongs to another worker."""
    record: ConsumerRecord
    async for record in consumer:
        record_key = (record.topic, record.value)
        if record_key in repeated:
            continue
        repeated.add(record_key)
        for partition in (record.partition, (record.partition + count // 2) % count):
            await producer.send(
                record.topic,
                record.value,
                key=record.key,
                partition=partition,
                headers=list(record.headers),
            )
