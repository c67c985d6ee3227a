"""The FastStream shell: one batch subscriber over all topics of a service, raw records into the stage.

The handler never raises and never waits out an outage: what was not committed is sought back, partition by
partition, and paused until a timer resumes it. Offsets are committed after the database, explicitly, behind it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from zlib import crc32

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from didflow_chassis import failpoints
from didflow_chassis.brokers import connection, consumer_options
from didflow_chassis.committing import Committing
from didflow_chassis.database import Outage
from didflow_chassis.lenient_records import accept_any_header_name
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.stage.breaker import BreakerOpen
from didflow_chassis.stage.messages import Record
from didflow_chassis.stage.stage import Stage

LANES = 2
LANES_FROM = 50
IDLE_MS = 500
"""How long one poll waits for records; it ends with the first of them."""
RESUME_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
_LOG = logging.getLogger(__name__)


class Consumer:
    """Reads what a service subscribes to. `start`, then records flow until `stop`."""

    def __init__(self, service: Service, settings: Settings, stage: Stage) -> None:
        self._stage = stage
        self._prefix = settings.topic_prefix
        self._busy = asyncio.Lock()
        self._committing = Committing(lambda: self.kafka)
        self._stopping = False
        self._failures = 0
        self._resumes: set[asyncio.Task[None]] = set()
        self.topics = [self._prefix + model.topic for model in service.events]
        self.polled_at = time.monotonic()
        self.is_broken = False
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
            listener=Draining(self._busy, self._committing),
            **consumer_options(settings, service.name),
        )
        self._subscriber(self.take)

    @property
    def kafka(self) -> Any:
        """The running aiokafka consumer."""
        return self._subscriber.consumer

    @property
    def is_busy(self) -> bool:
        """Whether a batch is in hand."""
        return self._busy.locked()

    @property
    def is_behind(self) -> bool:
        """Whether the group does not know yet of all that was taken."""
        return self._committing.is_behind

    async def start(self) -> None:
        """Join the group and begin to read. Raises KafkaError when no broker answers."""
        accept_any_header_name()
        await self.broker.start()
        self.kafka.getmany = self._polling(self.kafka.getmany)

    def _polling(self, getmany: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Poll until there is something, noting each poll: the framework's loop sleeps after one that was empty."""

        async def patient(*partitions: Any, **options: Any) -> Any:
            self.polled_at = time.monotonic()
            found = await getmany(*partitions, **options | {"timeout_ms": 0})
            while not found:
                self._committing.soon()
                self.polled_at = time.monotonic()
                found = await getmany(*partitions, **options | {"timeout_ms": IDLE_MS})
            return found

        return patient

    async def stop(self) -> None:
        """Finish the batch in hand, leave the group."""
        self._stopping = True
        for task in self._resumes:
            task.cancel()
        async with self._busy:
            await self._committing.now()
        await self.broker.stop()

    async def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Put one batch through the stage, then commit its offsets. Never raises."""
        async with self._busy:
            if self._stopping:
                return
            try:
                await failpoints.hit("consumer.take")
                await self._through([self._record(r) for r in records])
            except BreakerOpen as broken:
                _LOG.error("the breaker is open", extra={"error": str(broken)})
                self._failures = len(RESUME_S)
                self.is_broken = True
                self._hold(records)
            except Outage as outage:
                _LOG.warning("a batch waits", extra={"error": str(outage), "records": len(records)})
                self._hold(records)
            except Exception:  # noqa: BLE001 - a defect of ours must not lose the batch
                _LOG.exception("a batch could not be taken")
                self._hold(records)
            else:
                self._failures, self.is_broken = 0, False
                await failpoints.hit("consumer.taken")
                self._committing.reached(records)

    async def _through(self, records: Sequence[Record]) -> None:
        """Put records through the stage, a large batch in two lanes: one decides while the other's database works.

        A key is in one lane only, so its order is kept. Raises what a lane raised; the other may be committed.
        """
        lanes = in_lanes(records)
        if len(lanes) == 1:
            await self._stage.records(records)
            return
        ends = await asyncio.gather(*(self._stage.records(lane) for lane in lanes), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    def _record(self, r: ConsumerRecord) -> Record:
        topic = r.topic.removeprefix(self._prefix)
        return Record(topic, r.partition, r.offset, r.key, r.value, tuple(r.headers))

    def _hold(self, records: Sequence[ConsumerRecord]) -> None:
        """Seek every partition of a batch back to where it began, and pause it for a while."""
        first: dict[TopicPartition, int] = {}
        for r in records:
            first.setdefault(TopicPartition(r.topic, r.partition), r.offset)
        held = [partition for partition, offset in first.items() if self._seek(partition, offset)]
        if held:
            wait = RESUME_S[min(self._failures, len(RESUME_S) - 1)]
            self._failures += 1
            task = asyncio.create_task(self._resume(held, wait))
            self._resumes.add(task)
            task.add_done_callback(self._resumes.discard)

    def _seek(self, partition: TopicPartition, offset: int) -> bool:
        try:
            self.kafka.seek(partition, offset)
            self.kafka.pause(partition)
        except (KafkaError, IllegalStateError):
            return False
        return True

    async def _resume(self, partitions: Sequence[TopicPartition], wait: float) -> None:
        await asyncio.sleep(wait)
        assigned = self.kafka.assignment() if self.kafka else ()
        for partition in partitions:
            if partition in assigned:
                self.kafka.resume(partition)


def in_lanes(records: Sequence[Record]) -> tuple[Sequence[Record], ...]:
    """Part a large batch by key; a small one is not worth a second transaction."""
    if len(records) < LANES_FROM:
        return (records,)
    lanes: tuple[list[Record], ...] = tuple([] for _ in range(LANES))
    for record in records:
        lanes[crc32(record.key or b"") % LANES].append(record)
    return tuple(lane for lane in lanes if lane)


class Draining(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets the batch in hand finish, and its offsets be known, before its partitions go to another member."""

    def __init__(self, busy: asyncio.Lock, committing: Committing) -> None:
        self._busy = busy
        self._committing = committing

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Wait until the handler is idle and what it did is committed."""
        async with self._busy:
            await self._committing.now()
            _LOG.debug("partitions revoked", extra={"partitions": len(revoked)})

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing to do: positions are the group's committed offsets."""
        _LOG.info("partitions assigned", extra={"partitions": len(assigned)})


async def _parse(message: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """Hand raw records on; FastStream's own parser decodes headers and loses the batch where it cannot."""
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
