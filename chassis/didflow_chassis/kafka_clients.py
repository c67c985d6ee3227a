"""The options of this process's Kafka clients.

They MUST NOT be loosened: at-least-once delivery and the order of each key depend on them. A test reads the built
clients.
"""

import ssl
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from didflow_chassis.parallel_batches import TASKS
from didflow_chassis.settings import Settings

MAX_RECORD_BYTES = 2 * 1024 * 1024
FETCH_BYTES = 256 * 1024
"""Maximum prefetch of one partition, which bounds a worker's memory. A larger record is still fetched, alone."""


def connection(settings: Settings) -> dict[str, Any]:
    """Return the addresses of the brokers and the protection of connections."""
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
    """Return the subscriber's options: start at the earliest offset, no automatic commits, one assignor."""
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
        "fetch_max_wait_ms": settings.fetch_wait_ms,
        "max_records": settings.batch_size * TASKS,
        "batch_timeout_ms": settings.batch_timeout_ms,
    }


def producer(settings: Settings, client: str) -> AIOKafkaProducer:
    """Build the relay's producer: idempotent, acknowledged by all replicas, with bounded waits."""
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


async def start_producer(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    """Start a producer and return it. Raises KafkaError if no broker answers, and then closes the producer."""
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer
