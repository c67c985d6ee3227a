"""The chassis' own tables in memory: inbox, outbox, parked messages, dead letters and the answers to HTTP requests."""

from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from itertools import count
from typing import Any

from didflow_chassis import dead_letters, parked, parked_bounds
from didflow_chassis.database import Rejected
from didflow_chassis.stage import idempotency, transaction, unit_of_work
from didflow_chassis.testing import statements
from didflow_chassis.testing.state_tables import Write

Row = dict[str, Any]

_PARKED_COLUMNS = (
    "entity",
    "subject",
    "model",
    "account",
    "type",
    "reason",
    "missing",
    "attempts",
    "due_at",
    "last_error",
    "inbox_id",
    "size",
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
    "subject",
)


class MessageTables:
    """The tables that every service has besides its own. `write` applies changes."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._inbox: dict[bytes, tuple[bytes, bytes, int | None]] = {}
        self._places: dict[int, bytes] = {}
        self._outbox: list[Row] = []
        self._parked: dict[int, Row] = {}
        self._dead: list[Row] = []
        self._answers: dict[tuple[Any, ...], Row] = {}
        self._numbers = count(1)

    def statements(self) -> dict[str, Callable[..., list[Any]]]:
        """Return the statements that these tables answer."""
        return {
            transaction.TAKEN: self._taken,
            parked.LOAD: self._load_small,
            parked.LOAD_TRIED: lambda entities: self._load_parked(entities=entities),
            parked.LOAD_SINGLE: lambda ids: self._load_parked(ids=ids),
            unit_of_work.INSERT_INBOX: self._write_inbox,
            unit_of_work.INSERT_INBOX_AND_OUTBOX: self._write_inbox_and_outbox,
            parked_bounds.USED: self._used,
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
        }

    def held(self) -> set[str]:
        """Return the entities that a parked message holds back."""
        return {row["entity"] for row in self._parked.values() if row["reason"] in ("retry", "dead")}

    def copy(self) -> Any:
        """Return the content of all tables."""
        tables = (self._inbox, self._places, self._outbox, self._parked, self._dead, self._answers)
        return tuple(copy(table) for table in tables)

    def restore(self, content: Any) -> None:
        """Replace the content of all tables by what `copy` returned."""
        self._inbox, self._places, self._outbox, self._parked, self._dead, self._answers = content

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

    def _load_parked(self, entities: Sequence[str] = (), ids: Sequence[int] = ()) -> list[Any]:
        """Return rows with their records. Here the timers read as much at once as they like."""
        rows = (row for _, row in sorted(self._parked.items()))
        return [row | {"is_read": True} for row in rows if row["entity"] in entities or row["id"] in ids]

    def _load_small(self, entities: Sequence[str]) -> list[Any]:
        rows = self._load_parked(entities)
        sizes = Counter[str]()
        for row in rows:
            sizes[row["entity"]] += row["size"]
        return [row | {"is_read": sizes[row["entity"]] <= parked.SMALL_BYTES} for row in rows]

    def _used(self, entities: Sequence[str], accounts: Sequence[str], removed: Sequence[int]) -> list[Any]:
        found: dict[tuple[str, str], list[int]] = {}
        for row in self._parked.values():
            for kind, names in (("entity", entities), ("account", accounts)):
                if row.get(kind) in names and row["id"] not in removed:
                    found.setdefault((kind, row[kind]), []).append(row["size"])
        return [(*place, len(sizes), sum(sizes)) for place, sizes in found.items()]

    def _due_parked(self, now: datetime, limit: int | None, _window: int | None = None) -> list[Any]:
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

    def _write_dead_letters(self, *values: Any) -> list[Any]:
        *columns, at = values
        rows = [dict(zip(_DEAD_COLUMNS, row, strict=True), at=at) for row in zip(*columns, strict=True)]
        self._write(lambda: self._dead.extend(rows))
        return rows

    def _store_answer(self, account: str, subject: str, route: str, key: str, *values: Any) -> list[Any]:
        row = dict(zip(("digest", "status", "body", "location"), values, strict=True))
        self._write(lambda: self._answers.update({(account, subject, route, key): row}))
        return [row]
