"""The Kafka clients of an adapter. Offsets are never committed by themselves, results wait for all replicas."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from didflow_adapters.kit.settings import AdapterSettings

MAX_RECORD_BYTES = 2 * 1024 * 1024


def consumer(settings: AdapterSettings, carrier: str) -> AIOKafkaConsumer:
    """Build the reader of one carrier's orders: a group for each carrier, from the first order on."""
    return AIOKafkaConsumer(
        **settings.connection(),
        group_id=f"{settings.topic_prefix}adapter-{carrier}",
        group_instance_id=settings.member_id and f"{settings.member_id}-{carrier}",
        client_id=f"didflow-adapter-{carrier}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        fetch_max_wait_ms=settings.fetch_wait_ms,
    )


def producer(settings: AdapterSettings, carrier: str) -> AIOKafkaProducer:
    """Build the sender of one carrier's results."""
    return AIOKafkaProducer(
        **settings.connection(),
        client_id=f"didflow-adapter-{carrier}",
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_request_size=MAX_RECORD_BYTES,
        request_timeout_ms=10_000,
    )
