"""The Kafka consumer: one FastStream batch subscriber for all topics of a service.

Raw records go to the stage. The handler never raises and never waits for an outage to end: after a failure, the records
are rewound, their partitions are paused, and a timer resumes them. Offsets are committed after the database.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from didflow_chassis import failpoints, kafka_internals
from didflow_chassis.database import Outage
from didflow_chassis.kafka_clients import connection, consumer_options
from didflow_chassis.kafka_internals import poll_observer
from didflow_chassis.live_work import LiveWork
from didflow_chassis.offsets import OffsetCommits, OffsetRewinds
from didflow_chassis.parallel_batches import ParallelBatches
from didflow_chassis.records import Record
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.stage.stage import Stage

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
_LOG = logging.getLogger(__name__)


class Consumer:
    """Reads the topics of a service from `start` to `stop`."""

    def __init__(self, service: Service, settings: Settings, stage: Stage) -> None:
        self._stage = stage
        self._prefix = settings.topic_prefix
        self._commits = OffsetCommits(lambda: self.kafka)
        self._rewinds = OffsetRewinds(lambda: self.kafka)
        self._batches = ParallelBatches(self._decide, self._complete, self._fail)
        self.live_work = LiveWork(lambda: self._batches.is_busy)
        self.topics = [self._prefix + topic for topic in service.topics_read]
        self.polled_at = time.monotonic()
        self.broker = KafkaBroker(
            settings.kafka.split(","),
            security=_security(settings),
            client_id=f"didflow-{service.name}",
            apply_types=False,
            logger=None,
            graceful_timeout=20.0,
            allow_auto_create_topics=False,
        )
        self._subscriber = self.broker.subscriber(
            *self.topics,
            batch=True,
            parser=_parse,
            decoder=_decode,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=RebalanceListener(self._batches, self._commits),
            **consumer_options(settings, service.name),
        )
        self._subscriber(self.receive)

    @property
    def kafka(self) -> Any:
        """The running aiokafka consumer."""
        return self._subscriber.consumer

    @property
    def is_busy(self) -> bool:
        """Return True if polled records are in progress."""
        return self._batches.is_busy

    @property
    def is_behind(self) -> bool:
        """Return True if the database has records whose offsets are not committed."""
        return self._commits.is_behind

    @property
    def commit_waits_s(self) -> float:
        """Return for how many seconds offsets have waited without any answer to a commit."""
        return self._commits.waiting_s

    async def start(self) -> None:
        """Join the group and begin to read. Raises KafkaError if no broker answers."""
        kafka_internals.install()
        self._batches.start()
        await self.broker.start()
        poll_observer.observe(
            self.kafka,
            before_poll=self._note_poll,
            on_idle=self._commits.commit_soon,
            on_records=self._batches.announce,
        )

    async def stop(self) -> None:
        """Finish the records in progress and leave the group."""
        self._rewinds.stop()
        await self._batches.stop(self._commits.commit_now)
        await self.broker.stop()

    async def receive(self, records: Sequence[ConsumerRecord]) -> None:
        """Start the records of a poll. Waits for room. Never raises."""
        self.live_work.note()
        await self._batches.put(records)

    def _note_poll(self) -> None:
        self.polled_at = time.monotonic()

    async def _decide(self, records: Sequence[ConsumerRecord]) -> None:
        await failpoints.hit("consumer.take")
        await self._stage.records([self._record(r) for r in records])
        await failpoints.hit("consumer.taken")

    def _complete(self, records: Sequence[ConsumerRecord]) -> None:
        self.live_work.note()
        self._rewinds.reset()
        self._commits.add(records)

    def _fail(self, records: Sequence[ConsumerRecord], error: Exception) -> None:
        match error:
            case Outage():
                _LOG.warning("A batch will be retried", extra={"error": str(error), "records": len(records)})
            case _:  # a bug must not lose the batch
                _LOG.error("A batch failed because of a bug", exc_info=error)
        self._rewinds.rewind(records)

    def _record(self, r: ConsumerRecord) -> Record:
        topic = r.topic.removeprefix(self._prefix)
        return Record(topic, r.partition, r.offset, r.key, r.value, tuple(r.headers))


class RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Finishes the records in progress and commits their offsets before another member gets the partitions."""

    def __init__(self, batches: ParallelBatches, commits: OffsetCommits) -> None:
        self._batches = batches
        self._commits = commits

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Wait until no batch is in progress and all offsets are committed."""
        await self._batches.drain(self._commits.commit_now)
        _LOG.debug("Partitions were revoked", extra={"partitions": len(revoked)})

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Log the number of partitions. aiokafka starts at the group's committed offsets."""
        _LOG.info("Partitions were assigned", extra={"partitions": len(assigned)})


async def _parse(message: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """Pass raw records on. FastStream's own parser decodes headers, and loses the whole batch if it cannot."""
    return KafkaMessage(body=b"", headers={}, raw_message=message, consumer=FAKE_CONSUMER)


async def _decode(message: KafkaMessage) -> Any:
    return message.raw_message


def _security(settings: Settings) -> BaseSecurity | None:
    options = connection(settings)
    context = options.get("ssl_context")
    use_ssl = context is not None
    if "sasl_mechanism" not in options:
        return BaseSecurity(ssl_context=context, use_ssl=use_ssl) if use_ssl else None
    security = _SASL[options["sasl_mechanism"]]
    return security(
        username=options["sasl_plain_username"],
        password=options["sasl_plain_password"],
        ssl_context=context,
        use_ssl=use_ssl,
    )
