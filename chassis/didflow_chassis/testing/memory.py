"""The database of one service in memory. It answers the statements of the stage, of the timers and of the tests only.

Writes of a transaction become visible when it is committed. Rows that PostgreSQL would refuse are refused: a repeated
key of an append-only table, a missing value, an integer out of range, text with a NUL.
"""

from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from didflow_chassis.database import Database
from didflow_chassis.service import Service
from didflow_chassis.stage import transaction
from didflow_chassis.states import Kind, Stored
from didflow_chassis.testing import statements
from didflow_chassis.testing.message_tables import MessageTables
from didflow_chassis.testing.state_tables import StateTables


class MemoryDatabase(Database):
    """A `Database` in memory. `time` is the service's time. It changes only when a test sets it."""

    def __init__(self, service: Service, time: datetime) -> None:
        super().__init__("", application="test")
        self.time = time
        self._messages = MessageTables(self._write)
        self._states = StateTables(service.all_kinds, self._write, self._messages.held)
        self._written: list[Callable[[], None]] | None = None
        self._before: Any = None
        self._statements: dict[str, Callable[..., list[Any]]] = {
            transaction.LOCK: lambda _keys, _writes: [(self.time, 0)],
            transaction.TRY_LOCK: lambda _keys, _writes: [(self.time, None)],
            statements.SET_TIME: self._set_time,
            **self._messages.statements(),
            **self._states.statements(),
        }

    def compute(self, kind: Kind[Any], states: Callable[[], Iterable[Any]]) -> None:
        """Let the states of a view be computed when they are loaded. They are never stored."""

        def load(keys: Sequence[Hashable]) -> list[Any]:
            found = [Stored(state, 1) for state in states() if kind.key_of(state) in keys]
            return list(zip(*kind.to_columns(found), strict=True))

        self._statements[kind.load_sql] = load

    async def now(self) -> datetime:
        """Return the service's time."""
        return self.time

    async def fetch(self, statement: sa.Executable | str, *values: Any) -> list[Any]:
        """Run one statement. Raises NotImplementedError for a statement that these tables cannot answer."""
        if not isinstance(statement, str) or statement not in self._statements:
            raise NotImplementedError(
                f"The tables in memory cannot run this statement. Test it on PostgreSQL: {statement}"
            )
        found: list[Any] = self._statements[statement](*values)
        return found

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        """Return the first row, or None."""
        return next(iter(await self.fetch(statement, *values)), None)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        """Return the first column of the first row."""
        return (await self.fetchrow(statement, *values))[0]

    async def execute(self, statement: str, *values: Any) -> str:
        """Run a statement that writes, and return its status. The last word of it is the number of rows."""
        return f"INSERT 0 {len(await self.fetch(statement, *values))}"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Apply all writes of the block at its end, or none if it raises."""
        self._written, self._before = [], None
        try:
            yield self
            self._apply_written()
        except BaseException:
            self._restore(self._before)
            raise
        finally:
            self._written, self._before = None, None

    @asynccontextmanager
    async def savepoint(self, connection: Any) -> AsyncIterator[None]:  # noqa: ARG002 - there is one connection
        """Make what was written so far visible inside the transaction. Undo what the block writes if it raises."""
        self._before = self._before or self._copy()
        self._apply_written()
        before = self._copy()
        try:
            yield
            self._apply_written()
        except BaseException:
            self._written = []
            self._restore(before)
            raise

    def _apply_written(self) -> None:
        written, self._written = self._written or [], []
        for write in written:
            write()

    def _copy(self) -> Any:
        return self._states.copy(), self._messages.copy()

    def _restore(self, before: Any) -> None:
        if before is not None:
            self._states.restore(before[0])
            self._messages.restore(before[1])

    def _write(self, write: Callable[[], None]) -> None:
        if self._written is None:
            write()
        else:
            self._written.append(write)

    def _set_time(self, instant: datetime) -> list[Any]:
        self.time = instant
        return []
