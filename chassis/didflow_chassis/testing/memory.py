"""The tables of one service in memory. They answer the statements of the stage, of the timers and of the tests only.

Writes of a transaction become visible when it is committed. Rows that PostgreSQL would refuse are refused: a repeated
key of an append-only table, a missing value, an integer out of range, text with a NUL.
"""

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

import sqlalchemy as sa

from didflow_chassis import dead_letters, parked
from didflow_chassis.database import Database, Rejected
from didflow_chassis.service import Service
from didflow_chassis.stage import idempotency, transaction, unit_of_work
from didflow_chassis.states import Kind
from didflow_chassis.testing import statements
from didflow_chassis.timers import due_sql

Row = dict[str, Any]

_PARKED_COLUMNS = (
    "entity",
    "subject",
    "model",
    "reason",
    "missing",
    "attempts",
    "due_at",
    "last_error",
    "inbox_id",
    "topic",
    "partition",
    "offset",
    "key",
    "value",
    "headers",
)
_DEAD_COLUMNS = (
    "id",
    "reason",
    "detail",
    "topic",
    "partition",
    "offset",
    "key",
    "value",
    "headers",
    "truncated",
    "entity",
)
_LIMITS = ((sa.SmallInteger, 2**15), (sa.BigInteger, 2**63), (sa.Integer, 2**31))


class MemoryDatabase(Database):
    """A `Database` in memory. `time` is the service's time. It changes only when a test sets it."""

    def __init__(self, service: Service, time: datetime) -> None:
        super().__init__("", application="test")
        self.time = time
        self._kinds = service.kinds
        self._tables: dict[type, dict[Hashable, tuple[Any, ...]]] = {kind.model: {} for kind in service.kinds}
        self._inbox: dict[bytes, tuple[bytes, bytes, int | None]] = {}
        self._places: dict[int, bytes] = {}
        self._outbox: list[Row] = []
        self._parked: dict[int, Row] = {}
        self._dead: list[Row] = []
        self._answers: dict[tuple[Any, ...], Row] = {}
        self._numbers = count(1)
        self._written: list[Callable[[], None]] | None = None
        self._before: tuple[Any, ...] | None = None
        self._statements = self._statements_of_the_chassis() | self._statements_of_kinds()

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

    def _copy(self) -> tuple[Any, ...]:
        tables = {model: dict(rows) for model, rows in self._tables.items()}
        rest = (self._inbox, self._places, self._outbox, self._parked, self._dead, self._answers)
        return (tables, *(copy(each) for each in rest))

    def _restore(self, before: tuple[Any, ...] | None) -> None:
        if before is not None:
            self._tables, self._inbox, self._places, self._outbox, *rest = before
            self._parked, self._dead, self._answers = rest

    def _write(self, write: Callable[[], None]) -> None:
        if self._written is None:
            write()
        else:
            self._written.append(write)

    def _statements_of_the_chassis(self) -> dict[str, Callable[..., list[Any]]]:
        return {
            transaction.LOCK: lambda _keys, _writes: [(self.time, 0)],
            transaction.TRY_LOCK: lambda _keys, _writes: [(self.time, None)],
            transaction.TAKEN: self._taken,
            parked.LOAD: self._load_parked,
            unit_of_work.INSERT_INBOX: self._write_inbox,
            unit_of_work.INSERT_INBOX_AND_OUTBOX: self._write_inbox_and_outbox,
            parked.INSERT: self._insert_parked,
            parked.CHANGE: self._change_parked,
            parked.REMOVE: self._remove_parked,
            dead_letters.INSERT: self._write_dead_letters,
            idempotency.CLAIM: lambda _lock: [(True,)],
            idempotency.STORED: lambda *key: [self._answers[key]] if key in self._answers else [],
            idempotency.STORE: self._store_answer,
            parked.DUE: self._due_parked,
            statements.OUTBOX: lambda after: self._outbox[after:],
            statements.PARKED: lambda: [row for _, row in sorted(self._parked.items())],
            statements.DEAD_RECORDS: lambda: list(self._dead),
            statements.DUE_PARKED: lambda until: [
                ("parked", str(row["id"]), row["due_at"]) for row in self._due_parked(until, None)
            ],
            statements.SET_TIME: self._set_time,
        }

    def _statements_of_kinds(self) -> dict[str, Callable[..., list[Any]]]:
        found: dict[str, Callable[..., list[Any]]] = {}
        for kind in self._kinds:
            found[kind.load_sql] = partial(self._load, kind)
            found[kind.save_sql] = partial(self._save, kind)
            found[statements.all_rows(kind)] = partial(self._all, kind)
            if kind.due:
                found[due_sql(kind)] = partial(self._due_keys, kind)
                found[statements.due_states(kind)] = partial(self._due_instants, kind)
        return found

    def _set_time(self, instant: datetime) -> list[Any]:
        self.time = instant
        return []

    def _load(self, kind: Kind[Any], keys: Sequence[Hashable]) -> list[Any]:
        table = self._tables[kind.model]
        return [table[key] for key in keys if key in table]

    def _all(self, kind: Kind[Any]) -> list[Any]:
        table = self._tables[kind.model]
        return list(table.values()) if kind.append_only else [table[key] for key in sorted(table, key=str)]

    def _save(self, kind: Kind[Any], *columns: Sequence[Any]) -> list[Any]:
        """Save rows as `Kind.save_sql` does. A row is skipped if another version than the one before is stored."""
        table = self._tables[kind.model]
        saved: dict[Hashable, tuple[Any, ...]] = {}
        for row in zip(*columns, strict=True):
            _check_row(kind, row)
            key = _key(kind, row) if _is_keyed(kind) else f"row {next(self._numbers)}"
            if kind.append_only and (key in table or key in saved):
                raise Rejected(f"{kind.table.name} has a row of the key {key} already")
            version = None if kind.append_only else kind.columns.index("version")
            if version is None or key not in table or table[key][version] == row[version] - 1:
                saved[key] = row
        self._write(lambda: table.update(saved))
        return list(saved)

    def _due(self, kind: Kind[Any], until: datetime) -> list[tuple[datetime, Hashable, Any]]:
        due, subject = (
            kind.columns.index(str(kind.due)),
            kind.columns.index(kind.subject) if kind.subject else None,
        )
        held = {row["entity"] for row in self._parked.values() if row["reason"] in ("retry", "dead")}
        found = [
            (row[due], key, row[subject] if subject is not None else None)
            for key, row in self._tables[kind.model].items()
            if row[due] is not None and row[due] <= until and str(key) not in held
        ]
        return sorted(found, key=lambda each: (each[0], str(each[1])))

    def _due_keys(self, kind: Kind[Any], now: datetime, limit: int) -> list[Any]:
        return [(key, subject) for _, key, subject in self._due(kind, now)[:limit]]

    def _due_instants(self, kind: Kind[Any], until: datetime) -> list[Any]:
        return [(kind.table.name, str(key), due) for due, key, _ in self._due(kind, until)]

    def _taken(self, ids: Sequence[bytes], places: Sequence[int]) -> list[Any]:
        wanted = {*ids, *(self._places[place] for place in places if place in self._places)}
        return [self._inbox[key] for key in wanted if key in self._inbox]

    def _write_inbox(self, *columns: Sequence[Any]) -> list[Any]:
        rows = list(zip(*columns, strict=True))
        if any(row[0] in self._inbox for row in rows):
            raise Rejected("inbox has a row of this key already")

        def write() -> None:
            for key, digest, _outcome, place in rows:
                self._inbox[key] = (key, digest, place)
                if place is not None:
                    self._places[place] = key

        self._write(write)
        return rows

    def _write_inbox_and_outbox(self, *columns: Sequence[Any]) -> list[Any]:
        rows = self._write_inbox(*columns[:4])

        def write() -> None:
            for topic, key, value, headers in zip(*columns[4:], strict=True):
                row = {"id": len(self._outbox) + 1, "topic": topic, "key": key, "value": value}
                self._outbox.append(row | {"headers": headers})

        self._write(write)
        return rows

    def _load_parked(self, entities: Sequence[str], ids: Sequence[int]) -> list[Any]:
        rows = (row for _, row in sorted(self._parked.items()))
        return [row for row in rows if row["entity"] in entities or row["id"] in ids]

    def _due_parked(self, now: datetime, limit: int | None) -> list[Any]:
        due = [row for row in self._parked.values() if row["due_at"] is not None and row["due_at"] <= now]
        return sorted(due, key=lambda row: (row["due_at"], row["id"]))[:limit]

    def _insert_parked(self, *columns: Sequence[Any]) -> list[Any]:
        rows = [dict(zip(_PARKED_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]

        def write() -> None:
            for row in rows:
                row["id"] = next(self._numbers)
                self._parked[row["id"]] = row

        self._write(write)
        return rows

    def _change_parked(self, *columns: Sequence[Any]) -> list[Any]:
        rows = list(zip(*columns, strict=True))

        def write() -> None:
            for key, *values in rows:
                names = ("reason", "attempts", "due_at", "missing", "last_error")
                changed = dict(zip(names, values, strict=True))
                kept = {n: self._parked[key][n] for n in ("missing", "last_error") if changed[n] is None}
                self._parked[key] = self._parked[key] | changed | kept

        self._write(write)
        return rows

    def _remove_parked(self, ids: Sequence[int]) -> list[Any]:
        def write() -> None:
            for key in ids:
                self._parked.pop(key, None)

        self._write(write)
        return list(ids)

    def _write_dead_letters(self, *columns: Sequence[Any]) -> list[Any]:
        rows = [dict(zip(_DEAD_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]
        self._write(lambda: self._dead.extend(rows))
        return rows

    def _store_answer(self, account: str, route: str, key: str, *values: Any) -> list[Any]:
        row = dict(zip(("digest", "status", "body"), values, strict=True))
        self._write(lambda: self._answers.update({(account, route, key): row}))
        return [row]


def _key(kind: Kind[Any], row: Sequence[Any]) -> Hashable:
    """Return a row's key: the state's, or the primary key of an append-only table."""
    names = [column.name for column in kind.table.primary_key] if kind.append_only else [kind.key]
    values = tuple(row[kind.columns.index(name)] for name in names)
    return values[0] if len(values) == 1 else values


def _is_keyed(kind: Kind[Any]) -> bool:
    """Return False for an append-only table whose primary key is counted by the database."""
    return not kind.append_only or all(c.name in kind.columns for c in kind.table.primary_key)


def _check_row(kind: Kind[Any], row: Sequence[Any]) -> None:
    for name, value in zip(kind.columns, row, strict=True):
        column = kind.table.c[name]
        if value is None and not column.nullable:
            raise Rejected(f"{kind.table.name}.{name} has no value")
        if isinstance(value, str) and "\0" in value:
            raise Rejected(f"{kind.table.name}.{name} has a NUL")
        if type(value) is int:
            limit = next((most for type_, most in _LIMITS if isinstance(column.type, type_)), None)
            if limit is not None and not -limit <= value < limit:
                raise Rejected(f"{kind.table.name}.{name} is out of range")
