"""The topics of one test on a real Kafka: it publishes to them and reads them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from didflow_chassis.records import Record
from didflow_chassis.settings import Settings

StartRelay = Callable[[], Awaitable[asyncio.Task[None]]]


@dataclass
class TopicsUnderTest:
    """Publishes to topics and reads them, under the prefix of the settings."""

    settings: Settings
    producer: AIOKafkaProducer

    async def publish(self, records: list[Record]) -> None:
        """Publish records byte for byte, in order, and wait until Kafka has all of them."""
        prefix = self.settings.topic_prefix
        waits = [
            await self.producer.send(prefix + r.topic, r.value, key=r.key, headers=list(r.headers))
            for r in records
        ]
        await asyncio.gather(*waits)

    async def received(self, topic: str, count: int, within: float = 20) -> list[object]:
        """Return the first records of a topic. Raises TimeoutError if there are fewer."""
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
