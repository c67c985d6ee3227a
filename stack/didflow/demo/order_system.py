"""The order system of the demo: it publishes purchases to Kafka and uses nothing else of didflow."""

from collections.abc import Iterable
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from didflow.demo.examples import Purchase
from didflow_chassis.kafka_clients import connection
from didflow_chassis.settings import Settings
from didflow_contracts.envelope import CONTENT_TYPE
from didflow_contracts.events import DidPurchased

_HEADERS = [("content-type", CONTENT_TYPE.encode())]


async def publish(settings: Settings, purchases: Iterable[Purchase]) -> int:
    """Publish purchases in order, with the number as the key. Return how many were acknowledged."""
    producer = AIOKafkaProducer(**connection(settings), acks="all", enable_idempotence=True)
    topic = settings.topic_prefix + DidPurchased.topic
    await producer.start()
    try:
        sent = [
            await producer.send(
                topic,
                purchase.value(datetime.now(UTC)),
                key=purchase.number.encode() or None,
                headers=_HEADERS,
            )
            for purchase in purchases
        ]
        return len([await acknowledged for acknowledged in sent])
    finally:
        await producer.stop()
