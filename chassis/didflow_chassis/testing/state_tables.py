"""The tables of states in memory. A row is saved and loaded by the codecs of its `Kind`, as in PostgreSQL."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

import sqlalchemy as sa

from didflow_chassis.database import Rejected
from didflow_chassis.states import Kind
from didflow_chassis.testing import statements
from didflow_chassis.timers import due_sql

Write = Callable[[Callable[[], None]], None]
"""Takes a function that changes tables, and calls it when the transaction applies its writes."""

_LIMITS = ((sa.SmallInteger, 2**15), (sa.BigInteger, 2**63), (sa.Integer, 2**31))


class StateTables:
    """One table for each kind. `write` applies changes; `held` returns the entities that a parked message holds."""

    def __init__(self, kinds: Iterable[Kind[Any]], write: Write, held: Callable[[], set[str]]) -> None:
        self._kinds = tuple(kinds)
        self._write = write
        self._held = held
        self._rows: dict[type, dict[Hashable, tuple[Any, ...]]] = {kind.model: {} for kind in self._kinds}
        self._numbers = count(1)

    def statements(self) -> dict[str, Callable[..., list[Any]]]:
        """Return the statements that these tables answer."""
        found: dict[str, Callable[..., list[Any]]] = {}
        for kind in self._kinds:
            found[kind.load_sql] = partial(self._load, kind)
            found[kind.save_sql] = partial(self._save, kind)
            found[statements.all_rows(kind)] = partial(self._all, kind)
            if kind.due:
                found[due_sql(kind)] = partial(self._due_keys, kind)
                found[statements.due_states(kind)] = partial(self._due_instants, kind)
        return found

    def copy(self) -> Any:
        """Return the content of all tables."""
        return {model: dict(rows) for model, rows in self._rows.items()}

    def restore(self, content: Any) -> None:
        """Replace the content of all tables by what `copy` returned."""
        self._rows = content

    def _load(self, kind: Kind[Any], keys: Sequence[Hashable]) -> list[Any]:
        table = self._rows[kind.model]
        return [table[key] for key in keys if key in table]

    def _all(self, kind: Kind[Any]) -> list[Any]:
        table = self._rows[kind.model]
        return list(table.values()) if kind.append_only else [table[key] for key in sorted(table, key=str)]

    def _save(self, kind: Kind[Any], *columns: Sequence[Any]) -> list[Any]:
        """Save rows as `Kind.save_sql` does. A row is skipped if another version than the one before is stored."""
        table = self._rows[kind.model]
        saved: dict[Hashable, tuple[Any, ...]] = {}
        for row in zip(*columns, strict=True):
            _check_row(kind, row)
            key = _key(kind, row) if _is_keyed(kind) else f"row {next(self._numbers)}"
            if kind.append_only and (key in table or key in saved):
                raise Rejected(f"{kind.table.name} has a row of the key {key} already")
            version = None if kind.append_only else kind.columns.index("version")
            if version is None or key not in table or table[key][version] == row[version] - 1:
                saved[key] = row
        self._write(lambda: self._rows[kind.model].update(saved))
        return list(saved)

    def _due(self, kind: Kind[Any], until: datetime) -> list[tuple[datetime, Hashable, Any]]:
        due, subject = (
            kind.columns.index(str(kind.due)),
            kind.columns.index(kind.subject) if kind.subject else None,
        )
        held = self._held()
        found = [
            (row[due], key, row[subject] if subject is not None else None)
            for key, row in self._rows[kind.model].items()
            if row[due] is not None and row[due] <= until and str(key) not in held
        ]
        return sorted(found, key=lambda each: (each[0], str(each[1])))

    def _due_keys(self, kind: Kind[Any], now: datetime, limit: int, _window: int) -> list[Any]:
        """Return what `due_sql` selects, but always the oldest, so that a test is the same each time."""
        return [(key, subject) for _, key, subject in self._due(kind, now)[:limit]]

    def _due_instants(self, kind: Kind[Any], until: datetime) -> list[Any]:
        return [(kind.table.name, str(key), due) for due, key, _ in self._due(kind, until)]


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
