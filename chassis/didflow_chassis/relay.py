"""Publishes outbox rows in order, keyed by subject, and deletes what was acknowledged.

One worker at a time: an advisory lock on the very connection that reads and deletes, which the server ends
when it falls silent for 5 s. That is the lease; a stopped process loses it and then deletes nothing.
What cannot be published is passed over, so that it keeps nothing else waiting. Rows that are in hand are left out of
the next read by their ids: never by `id > last`, since a transaction may commit smaller ids later.
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
from didflow_chassis.brokers import give_up, started
from didflow_chassis.database import BY_KEY, DRIVER_ERRORS
from didflow_chassis.sending import Sending
from didflow_chassis.telemetry.metrics import Metrics

LEASE = 7_203_664_518_021
WAVE = 1_000
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
"""What ends the session of a process that was stopped, wherever that was. Between a statement's Parse and its Bind no
other timeout than that of the transaction applies. A delete need not be durable: if it is lost, its rows are repeats.
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


class ProducerSpent(Exception):
    """The producer was refused a batch and can send no other; the process is to be started again."""


@dataclass(frozen=True, kw_only=True)
class _Session:
    """The connection that holds the lock, and its statements: prepared before, so that each is one exchange."""

    connection: Any
    read: Any
    read_past: Any
    delete: Any


class Relay:
    """Moves rows from one database's outbox to Kafka. `run` until cancelled; any number may run at once.

    `fresh` makes a producer that takes the place of one that is spent; without it that ends the relay.
    """

    def __init__(
        self,
        dsn: str,
        producer: AIOKafkaProducer,
        metrics: Metrics,
        *,
        application: str,
        poll_s: float,
        fresh: Callable[[], AIOKafkaProducer] | None = None,
    ) -> None:
        self._dsn = dsn
        self._metrics = metrics
        self._application = application
        self._poll_s = poll_s
        self._fresh = fresh
        self._woken = asyncio.Event()
        self._sending = Sending(producer, self._woken.set)
        self._read_at = 0.0
        """When the outbox is to be read again at the latest, unless what was read leaves no room."""

    async def run(self) -> None:
        """Hold the lease whenever it can be had, and publish. Outages are waited out."""
        try:
            while True:
                try:
                    await self._hold_lease()
                except (*DRIVER_ERRORS, KafkaError) as error:
                    _LOG.warning("relay interrupted", extra={"error": type(error).__name__})
                await asyncio.sleep(RETRY_S)
        finally:
            self._sending.abandon()
            await give_up(self._sending.producer)

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
                await self._turn(session)
        finally:
            self._sending.drop_unsent()
            connection.terminate()

    async def _turn(self, session: _Session) -> None:
        """Delete what was acknowledged and read what there is room for; where there is nothing to do, wait."""
        self._woken.clear()
        if self._sending.settle():
            self._read_at = 0.0
        await self._delete(session)
        await self._renew()
        left = self._read_at - time.monotonic()
        if not self._sending.has_room:
            if not await self._nap(self._poll_s):
                await session.connection.execute("SELECT 1")
        elif left > 0:
            await self._nap(left)
        else:
            await self._read_on(session)

    async def _read_on(self, session: _Session) -> None:
        """Read a wave and let it leave. A full one says that there is more."""
        self._read_at = time.monotonic() + self._poll_s
        rows = await self._read(session)
        if rows:
            await failpoints.hit("relay.read")
        if len(rows) == WAVE:
            self._read_at = 0.0
        await self._sending.take(rows)

    def _notified(self, *_: Any) -> None:
        self._read_at = 0.0
        self._woken.set()

    async def _nap(self, seconds: float) -> bool:
        """Wait until something happens, so long at most. False where nothing did."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self, session: _Session) -> Sequence[Any]:
        topics, places = self._sending.held()
        in_hand = self._sending.in_hand
        if not topics and not places:
            rows: Sequence[Any] = await session.read.fetch(WAVE, in_hand)
            return rows
        named = [f"{topic} {(key or b'').hex()}" for topic, key in places]
        others: Sequence[Any] = await session.read_past.fetch(WAVE, in_hand, topics, named)
        return others

    async def _delete(self, session: _Session) -> None:
        """Delete what was acknowledged; what the session does not live to delete is kept in mind for the next."""
        gone = self._sending.acknowledged
        if gone:
            await failpoints.hit("relay.acked")
            await session.delete.fetch(gone)
            self._sending.deleted(len(gone))
            self._metrics.relay_rows.labels("sent").inc(len(gone))
        failed, self._sending.failed = self._sending.failed, 0
        self._metrics.relay_rows.labels("failed").inc(failed)

    async def _renew(self) -> None:
        """Replace a producer that can send no more. Raises ProducerSpent where there is no other."""
        if not self._sending.is_spent:
            return
        if self._fresh is None:
            raise ProducerSpent
        await asyncio.sleep(RETRY_S)
        self._sending.settle()
        self._sending.abandon()
        await give_up(self._sending.producer)
        self._sending = self._sending.succeeded_by(await started(self._fresh()))
