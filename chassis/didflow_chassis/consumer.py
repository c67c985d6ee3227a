"""The FastStream shell: one batch subscriber over all topics of a service, raw records into the stage.

The handler never raises and never waits out an outage: it gives what was polled to the tracks and polls on. What was
not committed is sought back, partition by partition, and paused until a timer resumes it. Offsets are committed after
the database, explicitly, behind it.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from didflow_chassis import failpoints
from didflow_chassis.brokers import connection, consumer_options
from didflow_chassis.committing import Committing
from didflow_chassis.database import Outage
from didflow_chassis.fetching import fetch_in_sessions
from didflow_chassis.lenient_records import accept_any_header_name
from didflow_chassis.rewinding import Rewinding
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.stage.breaker import BreakerOpen
from didflow_chassis.stage.messages import Record
from didflow_chassis.stage.stage import Stage
from didflow_chassis.tracks import Tracks

IDLE_MS = 500
"""How long one poll waits for records; it ends with the first of them."""
_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
_LOG = logging.getLogger(__name__)


class Consumer:
    """Reads what a service subscribes to. `start`, then records flow until `stop`."""

    def __init__(self, service: Service, settings: Settings, stage: Stage) -> None:
        self._stage = stage
        self._prefix = settings.topic_prefix
        self._committing = Committing(lambda: self.kafka)
        self._rewinding = Rewinding(lambda: self.kafka)
        self._tracks = Tracks(self._through, self._reached, self._failed)
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
            listener=Draining(self._tracks, self._committing),
            **consumer_options(settings, service.name),
        )
        self._subscriber(self.take)

    @property
    def kafka(self) -> Any:
        """The running aiokafka consumer."""
        return self._subscriber.consumer

    @property
    def is_busy(self) -> bool:
        """Whether something that was polled is under way."""
        return self._tracks.is_busy

    @property
    def is_behind(self) -> bool:
        """Whether the group does not know yet of all that was taken."""
        return self._committing.is_behind

    async def start(self) -> None:
        """Join the group and begin to read. Raises KafkaError when no broker answers."""
        accept_any_header_name()
        fetch_in_sessions()
        self._tracks.start()
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
            self._tracks.announce([record for several in found.values() for record in several])
            return found

        return patient

    async def stop(self) -> None:
        """Finish what is under way, leave the group."""
        self._rewinding.stop()
        await self._tracks.stop(self._committing.now)
        await self.broker.stop()

    async def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Give a poll to the tracks; waits while they are full. Never raises."""
        await self._tracks.put(records)

    async def _through(self, records: Sequence[ConsumerRecord]) -> None:
        await failpoints.hit("consumer.take")
        await self._stage.records([self._record(r) for r in records])
        await failpoints.hit("consumer.taken")

    def _reached(self, records: Sequence[ConsumerRecord]) -> None:
        self._rewinding.forget()
        self.is_broken = False
        self._committing.reached(records)

    def _failed(self, records: Sequence[ConsumerRecord], error: Exception) -> None:
        match error:
            case BreakerOpen():
                _LOG.error("the breaker is open", extra={"error": str(error)})
                self.is_broken = True
            case Outage():
                _LOG.warning("a batch waits", extra={"error": str(error), "records": len(records)})
            case _:  # a defect of ours must not lose the batch
                _LOG.error("a batch could not be taken", exc_info=error)
        self._rewinding.back(records, at_length=self.is_broken)

    def _record(self, r: ConsumerRecord) -> Record:
        topic = r.topic.removeprefix(self._prefix)
        return Record(topic, r.partition, r.offset, r.key, r.value, tuple(r.headers))


class Draining(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets what is under way finish, and its offsets be known, before its partitions go to another member."""

    def __init__(self, tracks: Tracks, committing: Committing) -> None:
        self._tracks = tracks
        self._committing = committing

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Wait until nothing is under way and what was done is committed."""
        await self._tracks.drain(self._committing.now)
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
