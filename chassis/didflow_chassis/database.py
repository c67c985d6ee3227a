"""The service's database: one asyncpg pool, reads by SQLAlchemy Core statements, and what errors mean.

Only the stage opens transactions; everything else here is a single statement.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialect

_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]

DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""All that the driver raises. Its internal error is what a session that ends at the wrong moment looks like."""

FAILING_S = 10.0
"""So long after a transaction that came to an outage readiness says so, unless another went through."""

BY_KEY = {"enable_seqscan": "off"}
"""Settings of a session that reads by key alone. A plan that was made while a table was empty reads it whole, and it
is kept until statistics are: a new installation under load would spend more and more on that.
"""

NOW_SQL = "SELECT clock_timestamp() + (SELECT shift FROM clock)"


class Outage(Exception):
    """The database cannot answer now: nothing was decided, try again later."""


class Transient(Exception):
    """Another writer was faster: nothing was written, run the batch again."""


class Rejected(Exception):
    """A row of the batch cannot be written; the batch is halved until that row is alone."""


def classify(error: BaseException) -> Exception | None:
    """Say what a database error means for a batch; None for errors that are not the database's.

    By SQLSTATE class: 40 (serialization, deadlock) is transient; 22, 23 and 54 are one row's fault;
    everything else (connection, resources, shutdown, a schema that is not the expected one) is an outage.
    """
    if isinstance(error, asyncpg.PostgresError):
        kind = (error.sqlstate or "")[:2]
        if kind == "40":
            return Transient(str(error))
        if kind in {"22", "23", "54"}:
            return Rejected(f"{type(error).__name__}: {error.sqlstate}")
        return Outage(f"{type(error).__name__}: {error.sqlstate}")
    if isinstance(error, DRIVER_ERRORS):
        return Outage(f"{type(error).__name__}")
    return None


def compile_statement(statement: sa.Executable) -> tuple[str, list[Any]]:
    """Turn a Core statement into asyncpg's text and positional values."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    processors: dict[str, Callable[[Any], Any]] = compiled._bind_processors  # noqa: SLF001
    values = compiled.params
    return str(compiled), [
        processors[name](values[name]) if name in processors else values[name]
        for name in compiled.positiontup or ()
    ]


async def _as_it_is(_: Any) -> None:
    """Hand a session back without asking the server to reset it: nothing here leaves a trace outside its transaction.

    MUST NOT become wrong by a session-level lock, setting or LISTEN on a connection of the pool.
    """


class Database:
    """A pool of connections to one service's database. Open it with `start`, end it with `stop`.

    `is_by_key` for who reads by key and in the order of an index, and nothing else: a worker.
    """

    def __init__(
        self,
        dsn: str,
        *,
        application: str,
        size: int = 8,
        statement_timeout_ms: int = 30_000,
        is_by_key: bool = False,
    ) -> None:
        self.dsn = dsn
        self._also = BY_KEY if is_by_key else {}
        self._application = application
        self._size = size
        self._timeout_ms = statement_timeout_ms
        self._pool: asyncpg.Pool | None = None
        self._refused_at: float | None = None

    @property
    def pool(self) -> Any:
        """The open pool. Raises Outage when it was never opened."""
        if self._pool is None:
            raise Outage("not started")
        return self._pool

    async def start(self) -> None:
        """Open the pool. Raises Outage where the database cannot be reached."""
        try:
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=1,
                max_size=self._size,
                reset=_as_it_is,
                command_timeout=self._timeout_ms / 1000,
                server_settings={
                    "application_name": self._application,
                    "statement_timeout": str(self._timeout_ms),
                    "idle_in_transaction_session_timeout": "10000",
                    "transaction_timeout": str(2 * self._timeout_ms),
                    "jit": "off",
                    **self._also,
                },
            )
        except DRIVER_ERRORS as error:
            raise Outage(f"{type(error).__name__}") from error

    async def stop(self) -> None:
        """Close the pool; connections still in use are given up after a moment."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await pool.close()
            except DRIVER_ERRORS:
                pool.terminate()

    async def fetch(self, statement: sa.Executable | str, *values: Any) -> list[Any]:
        """Run one statement and return its rows. Raises Outage."""
        if isinstance(statement, str):
            text, bound = statement, list(values)
        else:
            text, bound = compile_statement(statement)
        try:
            rows: list[Any] = await self.pool.fetch(text, *bound)
        except DRIVER_ERRORS as error:
            meaning = classify(error)
            if isinstance(meaning, Outage):
                raise meaning from error
            raise
        return rows

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction, for the stage alone; any error rolls back. Raises Outage, Transient or Rejected."""
        try:
            async with (
                self.pool.acquire(timeout=self._timeout_ms / 1000) as connection,
                connection.transaction(),
            ):
                yield connection
        except DRIVER_ERRORS as error:
            meaning = classify(error)
            if isinstance(meaning, Outage):
                self._refused_at = time.monotonic()
            raise meaning or error from error
        self._refused_at = None

    @property
    def is_failing(self) -> bool:
        """Whether the last transaction came to an outage, a moment ago: a full disk still answers who reads."""
        return self._refused_at is not None and time.monotonic() - self._refused_at < FAILING_S

    async def now(self) -> Any:
        """Return the service's time: the database's, plus what the embedded stack has moved it by."""
        rows = await self.fetch(NOW_SQL)
        return rows[0][0]
