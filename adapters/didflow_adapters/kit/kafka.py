"""The FastStream broker and subscriber of an adapter, and the decoding of carrier commands."""

import logging
from typing import Any, Final

import structlog
from aiokafka import ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

from didflow_adapters.kit.settings import AdapterSettings
from didflow_contracts.envelope import BadEvent, Event, decode
from didflow_contracts.events import CarrierCommandIssued

MAX_RECORD_BYTES: Final = 2 * 1024 * 1024
REQUEST_TIMEOUT_MS: Final = 10_000
"""How long a request to a broker may take, and the publication of a result before it is tried again."""
POLL_MS: Final = 10
"""How long a poll waits for records. FastStream then sleeps as long, so an idle adapter adds up to this latency."""
_TYPES: Final = {CarrierCommandIssued.type(): CarrierCommandIssued}
_LOG = structlog.get_logger(__name__)


def kafka_broker(settings: AdapterSettings, carrier: str) -> KafkaBroker:
    """Build the broker. All replicas acknowledge a result. It may be published more than once, which is harmless."""
    log = logging.getLogger(f"{__name__}.{carrier}")
    log.setLevel(logging.ERROR)  # FastStream warns about topics that it may not create
    return KafkaBroker(
        settings.kafka.split(","),
        security=settings.security(),
        client_id=f"didflow-adapter-{carrier}",
        acks="all",
        linger_ms=0,
        max_request_size=MAX_RECORD_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        allow_auto_create_topics=False,
        apply_types=False,
        graceful_timeout=settings.stop_within_s,
        logger=log,
        log_level=logging.DEBUG,
    )


def command_subscriber(broker: KafkaBroker, settings: AdapterSettings, carrier: str, listener: Any) -> Any:
    """Build the subscriber. Each carrier has a group of its own, which begins with the first command."""
    return broker.subscriber(
        settings.topic_prefix + CarrierCommandIssued.topic,
        group_id=f"{settings.topic_prefix}adapter-{carrier}",
        group_instance_id=settings.member_id and f"{settings.member_id}-{carrier}",
        auto_offset_reset="earliest",
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        fetch_max_wait_ms=settings.fetch_wait_ms,
        batch=True,
        batch_timeout_ms=POLL_MS,
        max_records=settings.poll_records,
        listener=listener,
        parser=_parse,
        decoder=_decode,
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
    )


async def _parse(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    return KafkaMessage(body=b"", headers={}, raw_message=records, consumer=FAKE_CONSUMER)


async def _decode(message: KafkaMessage) -> Any:
    return message.raw_message


def command_event(record: ConsumerRecord) -> Event[CarrierCommandIssued] | None:
    """Decode a carrier command. Log and skip a record that is none: a lost command is sent again by its owner."""
    try:
        event: Any = decode(record.value, record.headers, types=_TYPES)
    except BadEvent as error:
        _LOG.warning("skipped a bad record", code=error.code, reason=error.reason, offset=record.offset)
        return None
    command: Event[CarrierCommandIssued] = event
    return command
