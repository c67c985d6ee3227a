"""What a test says to and hears from a real Kafka, under its own prefix."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from didflow_chassis.records import Record
from didflow_chassis.settings import Settings

StartRelay = Callable[[], Awaitable[asyncio.Task[None]]]


@dataclass
class TopicsUnderTest:
    """What a test says to and hears from Kafka, under its prefix."""

    settings: Settings
    producer: AIOKafkaProducer

    async def publish(self, records: list[Record]) -> None:
        """Publish records as they are, in order, and wait until all are there."""
        prefix = self.settings.topic_prefix
        waits = [
            await self.producer.send(prefix + r.topic, r.value, key=r.key, headers=list(r.headers))
            for r in records
        ]
        await asyncio.gather(*waits)

    async def received(self, topic: str, count: int, within: float = 20) -> list[object]:
        """Read the first records of a topic. Raises TimeoutError where fewer come."""
        consumer = AIOKafkaConsumer(
            self.settings.topic_prefix + topic,
            bootstrap_servers=self.settings.kafka,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            async with asyncio.timeout(within):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()
