"""The service's database: one asyncpg pool, single statements, transactions, and what database errors mean.

Only the stage opens transactions. Everything else runs single statements.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from didflow_chassis.tables import NOW_SQL

_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]

DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Everything that the driver raises. It raises its internal error if a session ends at an unexpected moment."""

FAILING_S = 10.0
"""For how long a process is not ready after a failed transaction, unless another one succeeds."""

LATER_S = 1.0
"""How much longer the client waits for an answer than the server works on it. So the server says that it was slow."""

BY_KEY = {"enable_seqscan": "off", "enable_sort": "off"}
"""Settings of a session that reads only by key, or in the order of an index.

A plan that PostgreSQL makes for an empty table reads the whole table, and it is kept until the table has statistics.
Without the first setting, a new installation under load would become slower and slower. Without the second, a page of a
job could sort all rows that remain, where an index has them in order.
"""


_HIDDEN = """
SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
WHERE row_security_active(c.oid) AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_policy p, unnest(p.polroles) AS role
    WHERE p.polrelid = c.oid AND p.polpermissive AND pg_get_expr(p.polqual, p.polrelid) = 'true'
        AND p.polcmd IN ('*', 'r') AND (role = 0 OR pg_has_role(current_user, role, 'USAGE')))
"""
"""The tables of which a policy hides rows from the role of the session.

`row_security = off` cannot tell: it also refuses the role of a service, whose policy is always true. See `grants`.
"""


class Outage(Exception):
    """The database cannot answer now. Nothing was decided; try again later."""


class BadStatement(Outage):
    """The database answers, but not to this statement: it does not fit the schema, or it takes too long.

    Records and requests wait, as in any outage: the next release may do better. For a job it is a failure of the job.
    """


class Transient(Exception):
    """Another writer was faster. Nothing was written; run the batch again."""


class Rejected(Exception):
    """The database refuses a row of the batch. The batch is split until the message of that row is alone."""


def classify(error: BaseException) -> Exception | None:
    """Return what a database error means for a batch, or None if the error is not the database's.

    By SQLSTATE class: 40 (serialization, deadlock) is Transient; 22, 23 and 54 are caused by one row and are Rejected;
    42 (an unexpected schema, a missing right) and 57014 (the statement's time-out) are BadStatement, an Outage;
    everything else (connection, resources, shutdown) is an Outage.
    """
    if isinstance(error, asyncpg.PostgresError):
        kind = (error.sqlstate or "")[:2]
        if kind == "40":
            return Transient(f"{type(error).__name__}: {error.sqlstate}")
        if kind in {"22", "23", "54"}:
            return Rejected(f"{type(error).__name__}: {error.sqlstate}")
        if kind == "42" or isinstance(error, asyncpg.QueryCanceledError):
            return BadStatement(f"{type(error).__name__}: {error.sqlstate}")
        return Outage(f"{type(error).__name__}: {error.sqlstate}")
    if isinstance(error, DRIVER_ERRORS):
        return Outage(f"{type(error).__name__}")
    return None


def compile_statement(statement: sa.Executable) -> tuple[str, list[Any]]:
    """Return a SQLAlchemy Core statement as asyncpg's text and positional values."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    processors: dict[str, Callable[[Any], Any]] = compiled._bind_processors  # noqa: SLF001
    values = compiled.params
    return str(compiled), [
        processors[name](values[name]) if name in processors else values[name]
        for name in compiled.positiontup or ()
    ]


def hash64(text: str) -> int:
    """Return a 64-bit hash as PostgreSQL's bigint. The hash of a name is the number of its advisory lock."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


async def _no_reset(_: Any) -> None:
    """Return a session to the pool without a reset by the server, which would cost a round trip.

    MUST NOT be used with session-level locks, settings or LISTEN on a connection of the pool: they would remain.
    """


class Database:
    """A pool of connections to one service's database. Open it with `start`, close it with `stop`.

    Set `is_by_key` for a process that reads only by key or in the order of an index: a worker. `also` are further
    settings of its sessions.
    """

    def __init__(
        self,
        dsn: str,
        *,
        application: str,
        size: int = 8,
        statement_timeout_ms: int = 30_000,
        is_by_key: bool = False,
        also: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.dsn = dsn
        self._also = {**also, **(BY_KEY if is_by_key else {})}
        self._application = application
        self._size = size
        self._timeout_ms = statement_timeout_ms
        self._pool: asyncpg.Pool | None = None
        self._refused_at: float | None = None

    @property
    def timeout_s(self) -> float:
        """How long a statement may run, and how long a caller waits for a connection, in seconds."""
        return self._timeout_ms / 1000

    @property
    def pool(self) -> Any:
        """The open pool. Raises Outage if it is not open."""
        if self._pool is None:
            raise Outage("the database connection is not open")
        return self._pool

    async def start(self) -> None:
        """Open the pool. Raises Outage if the database cannot be reached."""
        try:
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=1,
                max_size=self._size,
                reset=_no_reset,
                command_timeout=self._timeout_ms / 1000 + LATER_S,
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
        """Close the pool. If that fails, its connections are terminated."""
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
        """Open a transaction. Any error rolls it back. Raises Outage, Transient or Rejected. For the stage only."""
        try:
            async with (
                self.pool.acquire(timeout=self.timeout_s) as connection,
                connection.transaction(),
            ):
                yield connection
        except DRIVER_ERRORS as error:
            meaning = classify(error)
            if isinstance(meaning, Outage):
                self._refused_at = time.monotonic()
            raise meaning or error from error
        self._refused_at = None

    @asynccontextmanager
    async def savepoint(self, connection: Any) -> AsyncIterator[None]:
        """Open a savepoint in a transaction. Any error rolls back to it. Raises Outage, Transient or Rejected."""
        try:
            async with connection.transaction():
                yield
        except DRIVER_ERRORS as error:
            raise classify(error) or error from error

    @property
    def is_failing(self) -> bool:
        """True if the last transaction failed recently. A database with a full disk still answers reads."""
        return self._refused_at is not None and time.monotonic() - self._refused_at < FAILING_S

    async def now(self) -> Any:
        """Return the service's time: database time plus the offset of the clock."""
        rows = await self.fetch(f"SELECT {NOW_SQL}")
        return rows[0][0]


@asynccontextmanager
async def read_only_snapshot(dsn: str, *, application: str) -> AsyncIterator[Any]:
    """Open a connection with one read-only, repeatable-read transaction, without limits of time.

    Raises Outage if the database cannot be reached or cannot be read, or if a policy would hide rows from the role.
    """
    settings = {
        "application_name": application,
        "statement_timeout": "0",
        "transaction_timeout": "0",
        "jit": "off",
    }
    try:
        connection = await asyncpg.connect(dsn, timeout=10, server_settings=settings)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                if hidden := await connection.fetchval(_HIDDEN):
                    raise Outage(f"a database cannot be read: a policy hides rows of {hidden} from this role")
                yield connection
        finally:
            await connection.close()
    except DRIVER_ERRORS as error:
        text = str(error) if isinstance(error, asyncpg.PostgresError) else type(error).__name__
        raise Outage(f"a database cannot be read: {text}") from error
