"""How this process speaks to Kafka: the settings of its consumer and producer, each for a reason.

MUST NOT be loosened: at-least-once and order for each key rest on them (a test reads them as built).
"""

import asyncio
import ssl
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ProducerClosed

from didflow_chassis.settings import Settings
from didflow_chassis.tracks import TRACKS

GIVE_UP_S = 2.0
MAX_RECORD_BYTES = 2 * 1024 * 1024
FETCH_BYTES = 256 * 1024
"""What is read ahead of one partition; a larger record comes all the same, alone. Bounds a worker's memory."""


def connection(settings: Settings) -> dict[str, Any]:
    """Return where the brokers are and how connections are protected."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka.split(","),
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ssl_ca_file)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_password
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options


def consumer_options(settings: Settings, service: str) -> dict[str, Any]:
    """Return the subscriber's options: from the start, never committed by itself, one assignor."""
    return {
        "group_id": f"{settings.topic_prefix}{service}",
        "group_instance_id": settings.member_id,
        "auto_offset_reset": "earliest",
        "partition_assignment_strategy": (RangePartitionAssignor,),
        "session_timeout_ms": settings.session_timeout_ms,
        "heartbeat_interval_ms": settings.heartbeat_ms,
        "max_poll_interval_ms": 300_000,
        "max_partition_fetch_bytes": FETCH_BYTES,
        "fetch_max_bytes": FETCH_BYTES * 64,
        "fetch_max_wait_ms": 250,
        "max_records": settings.batch_size * TRACKS,
        "batch_timeout_ms": settings.batch_timeout_ms,
    }


def producer(settings: Settings, client: str) -> AIOKafkaProducer:
    """Build the relay's producer: idempotent, acknowledged by all replicas, waits bounded."""
    return AIOKafkaProducer(
        **connection(settings),
        client_id=client,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=256 * 1024,
        max_request_size=MAX_RECORD_BYTES,
        request_timeout_ms=10_000,
        compression_type=None,
    )


async def started(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    """Start a producer. Raises KafkaError when no broker answers, and leaves nothing open."""
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def give_up(producer: AIOKafkaProducer) -> None:
    """Stop a producer without waiting for what it could not send: an idempotent one would wait for ever.

    Who gave it something to send finds it unacknowledged.
    """
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001 - there is no public way
    try:
        async with asyncio.timeout(GIVE_UP_S):
            await producer.stop()
    except TimeoutError:
        await producer.client.close()
