"""The `dead_letters` table: records that were given up.

The row is authoritative; the topic `<service>.dlq` gets a copy in the same transaction. All SQL on this table is here,
except for the retry and the drop (`dead_letter_operations`) and for `kept_messages`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from msgspec import Struct

from didflow_chassis import parked, tables
from didflow_chassis.database import DRIVER_ERRORS, Database, Outage
from didflow_chassis.dead_letter_copies import copy_of, stored_part
from didflow_chassis.records import (
    Headers,
    OutboxRow,
    Record,
    escaped,
    headers_from_json,
    headers_to_json,
)
from didflow_contracts.ids import uuid7
from didflow_contracts.numbers import is_e164

INSERT: Final = """
INSERT INTO dead_letters
    (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated, entity, subject)
SELECT i, $13, r, d, t, p, o, k, v, h, c, e, s
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bytea[], $8::bytea[],
            $9::jsonb[], $10::boolean[], $11::text[], $12::text[]) AS u (i, r, d, t, p, o, k, v, h, c, e, s)
"""
_AT_PLACES: Final = """
SELECT w.i, l.id FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[]) AS w (i, t, n, o)
JOIN dead_letters l ON l.topic = w.t AND l.partition = w.n AND l."offset" = w.o
UNION ALL
SELECT w.i, l.id FROM unnest($1::uuid[], $2::text[], $5::text[]) AS w (i, t, e)
JOIN dead_letters l ON l.entity = w.e WHERE w.t IS NULL AND l.topic IS NULL
"""
_COUNT: Final = "SELECT reason, count(*) FROM dead_letters GROUP BY reason ORDER BY reason"


class NewLetter(Struct, frozen=True):
    """A record to give up. `entity` is set if later messages of that entity are parked behind it.

    Without a `subject`, the letter is found by the key of its record, if the key is a number.
    """

    reason: str
    detail: str
    record: Record | None
    entity: str | None = None
    subject: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A record that was given up, without its content. A timer that failed has no topic, partition and offset.

    `at` is in the service's time. `subject` is that of the message, or the key of the record if it is a number.
    `truncated`: only a part of the record is stored. `entity` is set if later messages are parked behind it, and
    `waiting` is how many. `digest` is the SHA-256 of the value that is stored, if it was selected.
    """

    id: UUID
    at: datetime
    reason: str
    detail: str
    topic: str | None
    partition: int | None
    offset: int | None
    key: bytes | None
    subject: str | None
    truncated: bool
    entity: str | None
    waiting: int
    digest: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeLetter(DeadLetter):
    """A dead letter with the content of its record, as it was read."""

    value: bytes | None
    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What has become of a retried dead letter.

    `state`: `pending` (not tried yet), `decided`, `dead` (given up again, as `letter`), or parked again: `early`
    (for `missing`), `behind`, `retry` (it failed `attempts` times and is tried again at `due_at`).
    """

    state: str
    attempts: int = 0
    missing: str | None = None
    due_at: datetime | None = None
    letter: DeadLetter | None = None


async def insert(
    connection: Any, letters: Sequence[NewLetter], *, service: str, prefix: str, now: datetime
) -> list[OutboxRow]:
    """Insert dead letters by one statement and return their copies for the topic `<service>.dlq`.

    Source: spec events, dead letters.
    """
    rows: list[tuple[Any, ...]] = []
    copies: list[OutboxRow] = []
    for letter in letters:
        record = letter.record or Record("", 0, 0, None, None, ())
        cut, truncated = stored_part(record)
        position = (record.topic, record.partition, record.offset) if letter.record else (None, None, None)
        about = (letter.entity, letter.subject or _number_of(record.key))
        stored = (cut.key, cut.value, headers_to_json(cut.headers), truncated, *about)
        rows.append((uuid7(), letter.reason, escaped(letter.detail), *position, *stored))
        copies.append(copy_of(cut, letter.reason, record, service=service, prefix=prefix, now=now))
    await connection.execute(INSERT, *map(list, zip(*rows, strict=True)), now)
    return copies


def _number_of(key: bytes | None) -> str | None:
    """Return the key of a record if it is a number. Producers can write any bytes into a key."""
    text = key.decode("ascii", "replace") if key else ""
    return text if is_e164(text) else None


def select(
    *, reason: str | None = None, topic: str | None = None, subject: str | None = None
) -> sa.Select[Any]:
    """Return the statement that selects dead letters without their content. None means any.

    It does not read the values of the records, which can be large.
    """
    letters = tables.dead_letters.c
    wanted = {letters.reason: reason, letters.topic: topic, letters.subject: subject}
    columns = (column for column in letters if column.name not in ("value", "headers"))
    return sa.select(*columns, parked.count_behind(letters.entity).label("waiting")).where(
        *(column == value for column, value in wanted.items() if value is not None)
    )


def select_one(letter_id: UUID) -> sa.Select[Any]:
    """Return the statement that selects one dead letter with its content."""
    letters = tables.dead_letters.c
    return select().add_columns(letters.value, letters.headers).where(letters.id == letter_id)


def letter_in(row: Any) -> DeadLetter:
    """Return the dead letter in a row of `select`."""
    return DeadLetter(**_values(row, DeadLetter))


def whole_letter_in(row: Any) -> WholeLetter:
    """Return the dead letter in a row of `select_one`."""
    values = _values(row, WholeLetter)
    return WholeLetter(**values | {"headers": headers_from_json(values["headers"])})


class DeadLetters:
    """The dead letters of one service's database, for the command line."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def oldest(self, *, reason: str | None = None, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters, oldest first: those of one reason, or all."""
        letters = tables.dead_letters.c
        return await self._found(select(reason=reason).order_by(letters.at, letters.id).limit(limit))

    async def between(self, first: UUID, last: UUID, *, limit: int) -> list[DeadLetter]:
        """Return the dead letters with ids from `first` to `last`, both included, in the order of their ids."""
        letter_id = tables.dead_letters.c.id
        return await self._found(
            select().where(letter_id.between(first, last)).order_by(letter_id).limit(limit)
        )

    async def at_places(self, letters: Sequence[DeadLetter]) -> dict[UUID, list[DeadLetter]]:
        """Return the present dead letters at the positions of others, by the ids of the others.

        For a timer, which has no position: those of timers of the same entity.
        """
        pairs = await self.database.fetch(_AT_PLACES, *_places(letters))
        ids = sa.bindparam("ids", [present for _, present in pairs], sa.ARRAY(sa.Uuid))
        there = await self._found(select().where(tables.dead_letters.c.id == sa.any_(ids)))
        letter_of = {letter.id: letter for letter in there}
        found: dict[UUID, list[DeadLetter]] = {}
        for wanted, present in pairs:
            if present in letter_of:
                found.setdefault(wanted, []).append(letter_of[present])
        return found

    async def find(self, letter_id: UUID) -> WholeLetter | None:
        """Return one dead letter with its content, or None."""
        rows = await self.database.fetch(select_one(letter_id).add_columns(_digest()))
        return whole_letter_in(rows[0]) if rows else None

    async def count(self) -> dict[str, int]:
        """Return the number of dead letters of each reason."""
        return {row[0]: row[1] for row in await self.database.fetch(_COUNT)}

    async def outcomes(self, retried: Sequence[DeadLetter]) -> dict[UUID, Outcome]:
        """Return what has become of dead letters after their retry."""
        rows = {row["letter"]: row for row in await parked.at_places(self.database, *_places(retried))}
        again = await self.at_places(retried)
        return {one.id: _outcome(one, rows.get(one.id), again.get(one.id, ())) for one in retried}

    async def _found(self, statement: sa.Select[Any]) -> list[DeadLetter]:
        return [letter_in(row) for row in await self.database.fetch(statement.add_columns(_digest()))]


def _digest() -> sa.Label[bytes]:
    return sa.func.sha256(tables.dead_letters.c.value).label("digest")


async def connect(dsn: str) -> Any:
    """Open a connection to a service's database. Raises Outage if the database cannot be reached."""
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be reached: {type(error).__name__}") from error


def _values(row: Any, model: type[DeadLetter]) -> dict[str, Any]:
    """Return the columns of a row that are fields of the model. A statement may select more."""
    values = {field.name: row[field.name] for field in fields(model) if field.name in row}
    return values | {"detail": values["detail"] or ""}


def _places(letters: Sequence[DeadLetter]) -> tuple[list[Any], ...]:
    """Return the columns id, topic, partition, offset and entity."""
    names = ("id", "topic", "partition", "offset", "entity")
    return tuple([getattr(letter, name) for letter in letters] for name in names)


def _outcome(retried: DeadLetter, row: Any, there: Sequence[DeadLetter]) -> Outcome:
    """Read an outcome off the parked row of a retried letter and the dead letters that are now at its position.

    A position is not unique for ever: an embedded Kafka counts from zero again at each start.
    """
    again = [one for one in there if one.id > retried.id and one.digest == retried.digest]
    if again:
        return Outcome(state="dead", letter=max(again, key=lambda one: one.id))
    if row is None:
        return Outcome(state="decided")
    if row["reason"] == parked.RETRY and row["attempts"] == 0:
        return Outcome(state="pending")
    return Outcome(
        state=row["reason"], attempts=row["attempts"], missing=row["missing"], due_at=row["due_at"]
    )
