"""Publishes outbox rows in order, keyed by subject, and deletes the acknowledged rows.

Only one worker of a service publishes at a time. Its lease is an advisory lock on the connection that reads and
deletes. The server ends that session after 5 s of silence, so a stopped process loses the lease and deletes nothing
afterwards. A row that cannot be published is skipped and does not delay other rows. Rows in progress are left out
of the next read by their ids, never by `id > last`, because a transaction may commit smaller ids later.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from didflow_chassis import failpoints
from didflow_chassis.database import BY_KEY, DRIVER_ERRORS
from didflow_chassis.kafka_clients import start_producer
from didflow_chassis.kafka_internals import producer_shutdown
from didflow_chassis.publisher import Publisher
from didflow_chassis.telemetry.metrics import Metrics

LEASE = 7_203_664_518_021
READ_ROWS = 1_000
RETRY_S = 1.0
LEASE_SETTINGS = {
    "idle_session_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "transaction_timeout": "10000",
    "synchronous_commit": "off",
    "jit": "off",
    **BY_KEY,
}
"""These settings end the session of a stopped process, wherever it was stopped. Between the Parse and the Bind of a
statement, only `transaction_timeout` applies. A delete need not be durable: if it is lost, its rows are published
again.
"""
_READ = """SELECT id, topic, key, value, headers FROM outbox
WHERE id NOT IN (SELECT unnest($2::bigint[]))
ORDER BY id LIMIT $1
"""
_READ_PAST = """SELECT id, topic, key, value, headers FROM outbox
WHERE id NOT IN (SELECT unnest($2::bigint[]))
    AND topic <> ALL($3::text[]) AND topic || ' ' || encode(coalesce(key, ''), 'hex') <> ALL($4::text[])
ORDER BY id LIMIT $1
"""
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_LOG = logging.getLogger(__name__)


class ProducerUnusable(Exception):
    """A batch was refused, and the producer can send no other. The process has to be restarted."""


@dataclass(frozen=True, kw_only=True)
class _Session:
    """The connection that holds the lock, and its prepared statements, so that each needs one round trip."""

    connection: Any
    read: Any
    read_past: Any
    delete: Any


class Relay:
    """Moves rows from the outbox of one database to Kafka. Any number may run at once.

    `new_producer` builds a replacement for a producer that can send no more. Without it, the relay then fails.
    """

    def __init__(
        self,
        dsn: str,
        producer: AIOKafkaProducer,
        metrics: Metrics,
        *,
        application: str,
        poll_s: float,
        new_producer: Callable[[], AIOKafkaProducer] | None = None,
    ) -> None:
        self._dsn = dsn
        self._metrics = metrics
        self._application = application
        self._poll_s = poll_s
        self._new_producer = new_producer
        self._woken = asyncio.Event()
        self._publisher = Publisher(producer, self._woken.set)
        self._read_at = 0.0
        """Latest time of the next read of the outbox, if there is room for more rows."""

    async def run(self) -> None:
        """Wait for the lease and publish, until cancelled. After an outage, try again."""
        try:
            while True:
                try:
                    await self._hold_lease()
                except (*DRIVER_ERRORS, KafkaError) as error:
                    _LOG.warning(
                        "The relay was interrupted and tries again", extra={"error": type(error).__name__}
                    )
                await asyncio.sleep(RETRY_S)
        finally:
            self._publisher.abandon()
            await producer_shutdown.abort(self._publisher.producer)

    async def _hold_lease(self) -> None:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=10,
            command_timeout=20,
            server_settings={"application_name": self._application, **LEASE_SETTINGS},
        )
        try:
            session = _Session(
                connection=connection,
                read=await connection.prepare(_READ),
                read_past=await connection.prepare(_READ_PAST),
                delete=await connection.prepare(_DELETE),
            )
            await connection.add_listener("outbox", self._notified)
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEASE):  # noqa: ASYNC110
                await asyncio.sleep(self._poll_s)
            self._read_at = 0.0
            while True:
                await self._step(session)
        finally:
            self._publisher.drop_waiting()
            connection.terminate()

    async def _step(self, session: _Session) -> None:
        """Delete acknowledged rows, and read more if there is room. If there is nothing to do, wait."""
        self._woken.clear()
        if self._publisher.update():
            self._read_at = 0.0
        await self._delete(session)
        await self._replace_producer()
        left = self._read_at - time.monotonic()
        if not self._publisher.has_room:
            if not await self._wait(self._poll_s):
                await session.connection.execute("SELECT 1")
        elif left > 0:
            await self._wait(left)
        else:
            await self._publish_more(session)

    async def _publish_more(self, session: _Session) -> None:
        """Read rows and send them. If a read is full, the next one follows at once."""
        self._read_at = time.monotonic() + self._poll_s
        rows = await self._read(session)
        if rows:
            await failpoints.hit("relay.read")
        if len(rows) == READ_ROWS:
            self._read_at = 0.0
        await self._publisher.add(rows)

    def _notified(self, *_: Any) -> None:
        self._read_at = 0.0
        self._woken.set()

    async def _wait(self, seconds: float) -> bool:
        """Wait for a notification or a response. Return False after the given time."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self, session: _Session) -> Sequence[Any]:
        topics, keys = self._publisher.held()
        in_progress = self._publisher.in_progress
        if not topics and not keys:
            rows: Sequence[Any] = await session.read.fetch(READ_ROWS, in_progress)
            return rows
        named = [f"{topic} {(key or b'').hex()}" for topic, key in keys]
        others: Sequence[Any] = await session.read_past.fetch(READ_ROWS, in_progress, topics, named)
        return others

    async def _delete(self, session: _Session) -> None:
        """Delete acknowledged rows. If the session ends before that, the next session deletes them."""
        acknowledged = self._publisher.acknowledged
        if acknowledged:
            await failpoints.hit("relay.acked")
            await session.delete.fetch(acknowledged)
            self._publisher.forget_acknowledged(len(acknowledged))
            self._metrics.relay_rows.labels("sent").inc(len(acknowledged))
        failed, self._publisher.failed = self._publisher.failed, 0
        self._metrics.relay_rows.labels("failed").inc(failed)

    async def _replace_producer(self) -> None:
        """Replace a producer that can send no more. Raises ProducerUnusable if there is no replacement."""
        if not self._publisher.must_be_replaced:
            return
        if self._new_producer is None:
            raise ProducerUnusable
        await asyncio.sleep(RETRY_S)
        self._publisher.update()
        self._publisher.abandon()
        await producer_shutdown.abort(self._publisher.producer)
        self._publisher = self._publisher.successor(await start_producer(self._new_producer()))
