"""The topics of an adapter."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from harness.carrier_topics import Topics

from didflow_contracts.events import ResultReported


@pytest.fixture
async def kafka_topics(kafka: str, topics: str) -> AsyncIterator[Topics]:
    """The topics of this test."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(
        topics + ResultReported.topic, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    yield Topics(kafka, topics, producer, consumer)
    await consumer.stop()
    await producer.stop()
