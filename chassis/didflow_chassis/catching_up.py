"""Tells when a worker has read what lay in Kafka when it started, so that its clock overtakes nothing."""

import asyncio
import logging
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from didflow_chassis.brokers import connection
from didflow_chassis.consumer import Consumer
from didflow_chassis.settings import Settings

POLL_S = 0.2
_LOG = logging.getLogger(__name__)


async def caught_up(consumer: Consumer, settings: Settings, group: str, ready: asyncio.Event) -> None:
    """Set `ready` once the group has committed up to the end offsets seen now. Outages are waited out."""
    ends: dict[TopicPartition, int] | None = None
    while not ready.is_set():
        try:
            ends = ends if ends is not None else await _ends(consumer)
            if not ends or await _reached(settings, group, ends):
                ready.set()
                return
        except (KafkaError, OSError) as error:
            _LOG.info("cannot tell yet whether all is read", extra={"error": type(error).__name__})
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


async def _reached(settings: Settings, group: str, ends: dict[TopicPartition, int]) -> bool:
    admin: Any = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        committed = await admin.list_consumer_group_offsets(group, partitions=list(ends))
    finally:
        await admin.close()
    return all(
        committed[partition].offset >= end for partition, end in ends.items() if partition in committed
    )
