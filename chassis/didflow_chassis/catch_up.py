"""Waits until a worker has read the records that Kafka had when it started.

Due timers run only after that. Otherwise a timer could be decided before an older record about the same entity.
"""

import asyncio
import logging
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from didflow_chassis.consumer import Consumer
from didflow_chassis.kafka_clients import connection
from didflow_chassis.settings import Settings

POLL_S = 0.2
_LOG = logging.getLogger(__name__)


async def signal_catch_up(consumer: Consumer, settings: Settings, group: str, done: asyncio.Event) -> None:
    """Set `done` when the group has committed the end offsets of now. During an outage, keep trying."""
    ends: dict[TopicPartition, int] | None = None
    while not done.is_set():
        try:
            ends = ends if ends is not None else await _ends(consumer)
            if not ends or await _has_committed(settings, group, ends):
                done.set()
                return
        except (KafkaError, OSError) as error:
            _LOG.info("The offsets of the group cannot be read yet", extra={"error": type(error).__name__})
        await asyncio.sleep(POLL_S)


async def _ends(consumer: Consumer) -> dict[TopicPartition, int]:
    partitions = [
        TopicPartition(topic, number)
        for topic in consumer.topics
        for number in (consumer.kafka.partitions_for_topic(topic) or ())
    ]
    begins = await consumer.kafka.beginning_offsets(partitions)
    ends: dict[TopicPartition, int] = await consumer.kafka.end_offsets(partitions)
    return {partition: end for partition, end in ends.items() if end > begins[partition]}


async def _has_committed(settings: Settings, group: str, ends: dict[TopicPartition, int]) -> bool:
    admin: Any = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        committed = await admin.list_consumer_group_offsets(group, partitions=list(ends))
    finally:
        await admin.close()
    return all(
        committed[partition].offset >= end for partition, end in ends.items() if partition in committed
    )
