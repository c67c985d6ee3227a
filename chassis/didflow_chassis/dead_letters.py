"""The `dead_letters` table: records that were given up, and what an operator can do with them. All its SQL is here.

The row is authoritative; the topic `<service>.dlq` gets a copy in the same transaction. A retry or a drop removes the
dead letter and changes its parked messages in one transaction, so nothing is decided twice or lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
from msgspec import Struct

from didflow_chassis import parked
from didflow_chassis.database import DRIVER_ERRORS, Outage, hash64
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

Done = Literal["retried", "dropped", "absent", "truncated"]
"""`absent`: there is no such dead letter, or it was retried or dropped before. Nothing was changed.

`truncated`: the record was too large to be stored completely, so it cannot be retried. Nothing was changed.
"""

MAX_AT_ONCE: Final = 1_000
"""How many dead letters one transaction retries or drops: each can need a lock."""

_COLUMNS: Final = (
    'l.id, l.at, l.reason, l.detail, l.topic, l.partition, l."offset", l.key, sha256(l.value) AS digest, '
    "l.truncated, l.entity"
)
INSERT = """
INSERT INTO dead_letters (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated, entity)
SELECT i, $12, r, d, t, p, o, k, v, h, c, e
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bytea[], $8::bytea[],
            $9::jsonb[], $10::boolean[], $11::text[]) AS u (i, r, d, t, p, o, k, v, h, c, e)
"""
_LIST: Final = f"""
SELECT {_COLUMNS} FROM dead_letters l WHERE $1::text IS NULL OR reason = $1 ORDER BY at, id LIMIT $2
"""  # noqa: S608
_BETWEEN: Final = f"SELECT {_COLUMNS} FROM dead_letters l WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3"  # noqa: S608
_AT_PLACES: Final = f"""
SELECT w.i AS wanted, {_COLUMNS}
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[]) AS w (i, t, n, o)
JOIN dead_letters l ON l.topic = w.t AND l.partition = w.n AND l."offset" = w.o
UNION ALL
SELECT w.i, {_COLUMNS} FROM unnest($1::uuid[], $2::text[], $5::text[]) AS w (i, t, e)
JOIN dead_letters l ON l.entity = w.e WHERE w.t IS NULL AND l.topic IS NULL
"""  # noqa: S608
_ONE: Final = f"SELECT {_COLUMNS}, l.value, l.headers FROM dead_letters l WHERE id = $1"  # noqa: S608
_COUNT: Final = "SELECT reason, count(*) FROM dead_letters GROUP BY reason ORDER BY reason"
_LOCK: Final = "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS wanted (k)"
_LOCK_ROWS: Final = "SELECT id, truncated FROM dead_letters WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_DELETE: Final = "DELETE FROM dead_letters WHERE id = ANY($1::uuid[])"


class NewLetter(Struct, frozen=True):
    """A record to give up. `entity` is set if later messages of that entity are parked behind it."""

    reason: str
    detail: str
    record: Record | None
    entity: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A record that was given up, without its content. A timer that failed has no topic, partition and offset.

    `at` is in the service's time. `digest` is the SHA-256 of the value that is stored. `entity` is set if later
    messages are parked behind it.
    """

    id: UUID
    at: datetime
    reason: str
    detail: str
    topic: str | None
    partition: int | None
    offset: int | None
    key: bytes | None
    digest: bytes | None
    truncated: bool
    entity: str | None


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
        stored = (cut.key, cut.value, headers_to_json(cut.headers), truncated, letter.entity)
        rows.append((uuid7(), letter.reason, escaped(letter.detail), *position, *stored))
        copies.append(copy_of(cut, letter.reason, record, service=service, prefix=prefix, now=now))
    await connection.execute(INSERT, *map(list, zip(*rows, strict=True)), now)
    return copies


class DeadLetters:
    """The dead letters of one service's database, over one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def oldest(self, *, reason: str | None = None, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters, oldest first: those of one reason, or all."""
        return [_dead_letter(row) for row in await self._connection.fetch(_LIST, reason, limit)]

    async def between(self, first: UUID, last: UUID, *, limit: int) -> list[DeadLetter]:
        """Return the dead letters with ids from `first` to `last`, both included, in the order of their ids."""
        return [_dead_letter(row) for row in await self._connection.fetch(_BETWEEN, first, last, limit)]

    async def at_places(self, letters: Sequence[DeadLetter]) -> dict[UUID, list[DeadLetter]]:
        """Return the present dead letters at the positions of others, by the ids of the others.

        For a timer, which has no position: those of timers of the same entity.
        """
        found: dict[UUID, list[DeadLetter]] = {}
        for row in await self._connection.fetch(_AT_PLACES, *_places(letters)):
            values = dict(row)
            found.setdefault(values.pop("wanted"), []).append(_dead_letter(values))
        return found

    async def find(self, letter_id: UUID) -> WholeLetter | None:
        """Return one dead letter with its content, or None."""
        row = await self._connection.fetchrow(_ONE, letter_id)
        if row is None:
            return None
        values = dict(row)
        return WholeLetter(**_read(values) | {"headers": headers_from_json(values["headers"])})

    async def count(self) -> dict[str, int]:
        """Return the number of dead letters of each reason."""
        return {row[0]: row[1] for row in await self._connection.fetch(_COUNT)}

    async def retry(self, ids: Sequence[UUID]) -> dict[UUID, Done]:
        """Let records be decided again, each before the messages that are parked behind it."""
        done: dict[UUID, Done] = {}
        for some in _chunks(ids):
            async with self._connection.transaction():
                truncated = await self._locked(some)
                whole = [letter_id for letter_id, is_cut in truncated.items() if not is_cut]
                await parked.retry_letters(self._connection, whole)
                await self._connection.execute(_DELETE, whole)
            done |= {one: _retried(truncated.get(one)) for one in some}
        return done

    async def drop(self, ids: Sequence[UUID]) -> dict[UUID, Done]:
        """Remove records for good. The messages that are parked behind them are then processed."""
        done: dict[UUID, Done] = {}
        for some in _chunks(ids):
            async with self._connection.transaction():
                there = list(await self._locked(some))
                await parked.drop_letters(self._connection, there)
                await self._connection.execute(_DELETE, there)
            done |= {one: "dropped" if one in there else "absent" for one in some}
        return done

    async def outcomes(self, retried: Sequence[DeadLetter]) -> dict[UUID, Outcome]:
        """Return what has become of dead letters after their retry."""
        rows = {row["letter"]: row for row in await parked.at_places(self._connection, *_places(retried))}
        again = await self.at_places(retried)
        return {one.id: _outcome(one, rows.get(one.id), again.get(one.id, ())) for one in retried}

    async def _locked(self, ids: Sequence[UUID]) -> dict[UUID, bool]:
        """Lock the dead letters that exist and return for each of them whether it is truncated.

        Their subjects are locked as the stage does it: meanwhile no message is parked behind them.
        """
        subjects = await parked.subjects_of_letters(self._connection, ids)
        await self._connection.execute(_LOCK, sorted({hash64(subject) for subject in subjects}))
        return {row[0]: row[1] for row in await self._connection.fetch(_LOCK_ROWS, ids)}


async def connect(dsn: str) -> Any:
    """Open a connection to a service's database. Raises Outage if the database cannot be reached."""
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be reached: {type(error).__name__}") from error


def _dead_letter(row: Any) -> DeadLetter:
    return DeadLetter(**_read(dict(row)))


def _read(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"detail": values["detail"] or ""}


def _chunks(ids: Sequence[UUID]) -> list[list[UUID]]:
    distinct = list(dict.fromkeys(ids))
    return [distinct[start : start + MAX_AT_ONCE] for start in range(0, len(distinct), MAX_AT_ONCE)]


def _places(letters: Sequence[DeadLetter]) -> tuple[list[Any], ...]:
    """Return the columns id, topic, partition, offset and entity."""
    names = ("id", "topic", "partition", "offset", "entity")
    return tuple([getattr(letter, name) for letter in letters] for name in names)


def _retried(truncated: bool | None) -> Done:
    if truncated is None:
        return "absent"
    return "truncated" if truncated else "retried"


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
