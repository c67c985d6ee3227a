"""Publishes outbox rows in order, keyed by subject, and deletes what was acknowledged.

One worker at a time: an advisory lock on the very connection that reads and deletes, which the server ends
when it falls silent for 5 s. That is the lease; a stopped process loses it and then deletes nothing.
What cannot be published is passed over, so that it keeps nothing else waiting.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from didflow_chassis import failpoints
from didflow_chassis.brokers import give_up, started
from didflow_chassis.database import DRIVER_ERRORS
from didflow_chassis.sending import Sending
from didflow_chassis.telemetry.metrics import Metrics

LEASE = 7_203_664_518_021
WAVE = 1_000
RETRY_S = 1.0
_LEASE_SETTINGS = {
    "idle_session_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "statement_timeout": "20000",
    "jit": "off",
}
_READ = "SELECT id, topic, key, value, headers FROM outbox ORDER BY id LIMIT $1"
_READ_PAST = """
SELECT id, topic, key, value, headers FROM outbox
WHERE topic <> ALL($2::text[]) AND topic || ' ' || encode(coalesce(key, ''), 'hex') <> ALL($3::text[])
ORDER BY id LIMIT $1
"""
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_LOG = logging.getLogger(__name__)


class ProducerSpent(Exception):
    """The producer was refused a batch and can send no other; the process is to be started again."""


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
        self._sending = Sending(producer)
        self._metrics = metrics
        self._application = application
        self._poll_s = poll_s
        self._fresh = fresh
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Hold the lease whenever it can be had, and publish. Outages are waited out."""
        try:
            while True:
                try:
                    await self._session()
                except (*DRIVER_ERRORS, KafkaError) as error:
                    _LOG.warning("relay interrupted", extra={"error": type(error).__name__})
                await asyncio.sleep(RETRY_S)
        finally:
            self._sending.abandon()
            await give_up(self._sending.producer)

    async def _session(self) -> None:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=10,
            command_timeout=20,
            server_settings={"application_name": self._application, **_LEASE_SETTINGS},
        )
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEASE):  # noqa: ASYNC110
                await asyncio.sleep(self._poll_s)
            await connection.add_listener("outbox", self._wake)
            while True:
                await self._drain(connection)
                await self._nap()
        finally:
            connection.terminate()

    def _wake(self, *_: Any) -> None:
        self._woken.set()

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _drain(self, connection: Any) -> None:
        while True:
            self._woken.clear()
            await self._renew()
            rows = await self._read(connection)
            if rows:
                await failpoints.hit("relay.read")
            await self._publish(connection, rows)
            if len(rows) < WAVE:
                return

    async def _read(self, connection: Any) -> Sequence[Any]:
        topics, places = self._sending.held()
        if not topics and not places:
            rows: Sequence[Any] = await connection.fetch(_READ, WAVE)
            return rows
        named = [f"{topic} {(key or b'').hex()}" for topic, key in places]
        others: Sequence[Any] = await connection.fetch(_READ_PAST, WAVE, topics, named)
        return others

    async def _publish(self, connection: Any, rows: Sequence[Any]) -> None:
        """Send a wave and delete what was acknowledged; the session stays awake while it waits."""
        wave = asyncio.ensure_future(self._sending.send(rows))
        try:
            while not (await asyncio.wait({wave}, timeout=self._poll_s))[0]:
                await connection.execute("SELECT 1")
        finally:
            wave.cancel()
        sent = await wave
        if sent:
            await failpoints.hit("relay.acked")
            await connection.execute(_DELETE, sent)
        self._metrics.relay_rows.labels("sent").inc(len(sent))
        self._metrics.relay_rows.labels("failed").inc(max(0, len(rows) - len(sent)))

    async def _renew(self) -> None:
        """Replace a producer that can send no more. Raises ProducerSpent where there is no other."""
        if not self._sending.is_spent:
            return
        if self._fresh is None:
            raise ProducerSpent
        await asyncio.sleep(RETRY_S)
        self._sending.abandon()
        await give_up(self._sending.producer)
        self._sending = self._sending.succeeded_by(await started(self._fresh()))
