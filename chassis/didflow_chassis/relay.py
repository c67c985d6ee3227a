"""Publishes outbox rows in order, keyed by subject, and deletes what was acknowledged.

One worker at a time: an advisory lock on the very connection that reads and deletes, which the server ends
when it falls silent for 5 s. That is the lease; a stopped process loses it and then deletes nothing.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from didflow_chassis import failpoints
from didflow_chassis.stage.headers import from_json
from didflow_chassis.telemetry.metrics import Metrics
from didflow_contracts.envelope import CONTENT_TYPE

LEASE = 7_203_664_518_021
WAVE = 1_000
SEND_TIMEOUT_S = 30.0
RETRY_S = 1.0
_STANDARD = [("content-type", CONTENT_TYPE.encode())]
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
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_LOG = logging.getLogger(__name__)


class Relay:
    """Moves rows from one database's outbox to Kafka. `run` until cancelled; any number may run at once."""

    def __init__(
        self, dsn: str, producer: AIOKafkaProducer, metrics: Metrics, *, application: str, poll_s: float
    ) -> None:
        self._dsn = dsn
        self._producer = producer
        self._metrics = metrics
        self._application = application
        self._poll_s = poll_s
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Hold the lease whenever it can be had, and publish. Outages are waited out."""
        while True:
            try:
                await self._session()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError) as error:
                _LOG.warning("relay interrupted", extra={"error": type(error).__name__})
            await asyncio.sleep(RETRY_S)

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
            rows = await connection.fetch(_READ, WAVE)
            if not rows:
                return
            await failpoints.hit("relay.read")
            sent = await self._publish(connection, rows)
            if len(sent) < len(rows):
                await asyncio.sleep(RETRY_S)
            elif len(rows) < WAVE:
                return

    async def _publish(self, connection: Any, rows: Sequence[Any]) -> list[int]:
        """Send a wave and delete what was acknowledged; the session stays awake while it waits."""
        wave = asyncio.ensure_future(self._send(rows))
        while not (await asyncio.wait({wave}, timeout=self._poll_s))[0]:
            await connection.execute("SELECT 1")
        sent = wave.result()
        await failpoints.hit("relay.acked")
        if sent:
            await connection.execute(_DELETE, sent)
        self._metrics.relay_rows.labels("sent").inc(len(sent))
        self._metrics.relay_rows.labels("failed").inc(len(rows) - len(sent))
        return sent

    async def _send(self, rows: Sequence[Any]) -> list[int]:
        """Send rows in order; what follows a row that failed, under the same key and topic, is held back."""
        held: set[tuple[str, bytes | None]] = set()
        waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        for row in rows:
            place = (row["topic"], row["key"])
            if place in held:
                continue
            try:
                future = await self._producer.send(
                    row["topic"], row["value"], key=row["key"], headers=_headers(row["headers"])
                )
            except (KafkaTimeoutError, KafkaConnectionError):
                break
            except KafkaError as error:
                held.add(place)
                _LOG.error("a row cannot be sent", extra={"row": row["id"], "error": type(error).__name__})
            else:
                waiting.append((row, future))
        return await _acknowledged(waiting, held)


async def _acknowledged(
    waiting: Sequence[tuple[Any, asyncio.Future[Any]]], held: set[tuple[str, bytes | None]]
) -> list[int]:
    if waiting:
        await asyncio.wait({future for _, future in waiting}, timeout=SEND_TIMEOUT_S)
    sent: list[int] = []
    for row, future in waiting:
        place = (row["topic"], row["key"])
        if place in held or not future.done() or future.exception() is not None:
            held.add(place)
        else:
            sent.append(row["id"])
    return sent


def _headers(text: str | None) -> Sequence[tuple[str, bytes | None]]:
    return _STANDARD if text is None else list(from_json(text))
