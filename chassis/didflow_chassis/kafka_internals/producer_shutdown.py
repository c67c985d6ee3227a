"""Stops a producer without waiting for records that it cannot send. An idempotent producer would wait forever.

Uses: `AIOKafkaProducer._message_accumulator` and `AIOKafkaProducer.client`. Public interface that would replace this
module: a timeout of `AIOKafkaProducer.stop`.
"""

import asyncio
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from didflow_chassis.kafka_internals.versions import AIOKAFKA, Fits

FITS: Final[Fits] = {"aiokafka": AIOKAFKA}
TIMEOUT_S = 2.0


async def abort(producer: AIOKafkaProducer) -> None:
    """Stop the producer. Whoever waits for an unacknowledged record gets ProducerClosed."""
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001 - there is no public way
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await producer.stop()
    except TimeoutError:
        await producer.client.close()
