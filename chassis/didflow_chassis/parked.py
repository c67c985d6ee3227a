"""The `parked` table: messages that cannot be decided now.

All SQL on this table is here, except that of `kept_messages`, which knows nothing but the columns of a record.

Rows of one entity are tried in the order of their ids. A row under retry or given up (`dead`) holds the rows after it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from didflow_chassis import tables
from didflow_chassis.due import chosen
from didflow_chassis.records import Record, headers_to_json
from didflow_chassis.tables import NOW_SQL

EARLY: Final = "early"
"""Something that the message needs has not arrived yet. If it has a `due_at`, the timers try those of its entity."""
RETRY: Final = "retry"
"""The decision raised an exception. It is tried again at `due_at`."""
BEHIND: Final = "behind"
"""An earlier message of the entity is under retry or dead."""
DEAD: Final = "dead"
"""Given up after the last attempt. It holds its entity until an operator retries or drops it."""
REASONS: Final = (EARLY, RETRY, BEHIND, DEAD)

MAX_ATTEMPTS: Final = 4

SMALL_BYTES: Final = 32_000
"""If the parked records of an entity are larger together, only the timers read them."""
READ_BYTES: Final = 8_000_000
"""The timers read no more records at once than those of the entity with which they exceed this."""

_PLACE: Final = 'id, entity, subject, model, reason, attempts, due_at, topic, partition, "offset"'
_RECORD: Final = """
    is_read, CASE WHEN is_read THEN key END AS key, CASE WHEN is_read THEN value END AS value,
    CASE WHEN is_read THEN headers END AS headers
"""
LOAD: Final = f"""
SELECT {_PLACE}, {_RECORD}
FROM (SELECT *, sum(size) OVER (PARTITION BY entity) <= {SMALL_BYTES} AS is_read
      FROM parked WHERE entity = ANY($1::text[])) AS rows ORDER BY id
"""  # noqa: S608
"""The rows of entities. Their records are read only if those of the entity are small together."""
LOAD_TRIED: Final = f"""
WITH sizes AS (SELECT entity, sum(size) AS own FROM parked WHERE entity = ANY($1::text[]) GROUP BY entity),
    sums AS (SELECT entity, sum(own) OVER (ORDER BY entity) - own AS before FROM sizes)
SELECT {_PLACE}, {_RECORD}
FROM (SELECT p.*, s.before < {READ_BYTES} AS is_read FROM parked p JOIN sums s ON s.entity = p.entity
      WHERE p.entity = ANY($1::text[])) AS rows ORDER BY id
"""  # noqa: S608
"""The same for the timers: the records of as many entities as may be read at once, at least of one."""
LOAD_SINGLE: Final = f"""
SELECT {_PLACE}, true AS is_read, key, value, headers FROM parked
WHERE id = ANY(ARRAY(
    SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM parked WHERE id = ANY($1::bigint[]))
        AS sums WHERE before < {READ_BYTES}))
ORDER BY id FOR UPDATE SKIP LOCKED
"""  # noqa: S608
"""Rows without an entity, as many as may be read at once. No advisory lock keeps two workers from them, so the rows are
locked themselves."""

REMOVE: Final = "DELETE FROM parked WHERE id = ANY($1::bigint[])"

DUE: Final = chosen("p.id, p.entity, p.subject", "FROM parked p WHERE p.due_at <= $1", "p.due_at")
"""Rows that are due at $1: $2 of the $3 oldest and of the newest."""

INSERT: Final = f"""
INSERT INTO parked (entity, subject, model, account, type, reason, missing, attempts, due_at, since, last_error,
                    inbox_id, size, topic, partition, "offset", key, value, headers)
SELECT e, s, m, ac, ty, r, mi, a, d, moment, l, i, z, t, p, o, k, v, h
FROM (SELECT {NOW_SQL} AS moment) AS present,
    unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[],
           $9::timestamptz[], $10::text[], $11::bytea[], $12::integer[], $13::text[], $14::integer[], $15::bigint[],
           $16::bytea[], $17::bytea[], $18::jsonb[])
    WITH ORDINALITY AS u (e, s, m, ac, ty, r, mi, a, d, l, i, z, t, p, o, k, v, h, n) ORDER BY n
"""  # noqa: S608

CHANGE: Final = """
UPDATE parked SET reason = r, attempts = a, due_at = d,
    missing = coalesce(m, missing), last_error = coalesce(e, last_error)
FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::timestamptz[], $5::text[], $6::text[])
    AS u (i, r, a, d, m, e)
WHERE parked.id = i
"""

COUNT: Final = f"""
SELECT reason, count(*) AS rows, extract(epoch FROM max(moment - since))::float8 AS oldest,
    count(*) FILTER (WHERE reason = 'early' AND moment - since > $1) AS late
FROM parked, (SELECT {NOW_SQL} AS moment) AS present GROUP BY reason
"""  # noqa: S608

COUNT_HELD: Final = "SELECT count(*) FROM parked WHERE reason IN ('retry', 'behind')"

_ENTITIES: Final = "SELECT DISTINCT entity FROM parked WHERE starts_with(entity, $1) ORDER BY entity LIMIT $2"

_OF_LETTER: Final = """
    p.entity = l.entity AND p.reason = 'dead' AND p.topic IS NOT DISTINCT FROM l.topic
    AND p.partition IS NOT DISTINCT FROM l.partition AND p."offset" IS NOT DISTINCT FROM l."offset"
"""
_RETRY_LETTERS: Final = f"""
WITH retried AS (
    UPDATE parked p SET reason = 'retry', attempts = 0, due_at = {NOW_SQL}
    FROM dead_letters l WHERE l.id = ANY($1::uuid[]) AND {_OF_LETTER} RETURNING l.id)
INSERT INTO parked (entity, subject, model, reason, attempts, due_at, since, last_error, inbox_id, size,
                    topic, partition, "offset", key, value, headers)
SELECT '', coalesce(l.subject, ''), '', 'retry', 0, moment, moment, l.detail, '',
       coalesce(octet_length(l.key), 0) + coalesce(octet_length(l.value), 0)
           + coalesce(octet_length(l.headers::text), 0), l.topic, l.partition, l."offset", l.key, l.value, l.headers
FROM (SELECT {NOW_SQL} AS moment) AS present, dead_letters l
WHERE l.id = ANY($1::uuid[]) AND l.id NOT IN (SELECT id FROM retried) ORDER BY l.at, l.id
"""  # noqa: S608
_DROP_LETTERS: Final = f"""
DELETE FROM parked p USING dead_letters l WHERE l.id = ANY($1::uuid[]) AND {_OF_LETTER}
"""  # noqa: S608
_MAKE_NEXT_DUE: Final = f"""
UPDATE parked p SET due_at = {NOW_SQL} FROM (
    SELECT min(w.id) FILTER (WHERE w.reason = 'behind') AS first, bool_or(w.reason IN ('dead', 'retry')) AS held
    FROM parked w WHERE w.entity IN (SELECT l.entity FROM dead_letters l WHERE l.id = ANY($1::uuid[]))
    GROUP BY w.entity) AS rest
WHERE p.id = rest.first AND NOT rest.held
"""  # noqa: S608
_AT_PLACES: Final = """
SELECT l.i AS letter, p.reason, p.attempts, p.missing, p.due_at
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[]) AS l (i, t, n, o)
JOIN parked p ON p.topic = l.t AND p.partition = l.n AND p."offset" = l.o
UNION ALL
SELECT l.i, p.reason, p.attempts, p.missing, p.due_at
FROM unnest($1::uuid[], $2::text[], $5::text[]) AS l (i, t, e)
JOIN parked p ON p.entity = l.e WHERE l.t IS NULL AND p.topic IS NULL
"""


class NewRow(Struct, frozen=True):
    """A row to insert. `missing` is what an early message needs; `due_at` is when a retry is tried again.

    `account` and `type` are those of the event; None for a due timer.
    """

    entity: str
    subject: str
    model: str
    account: str | None
    type: str | None
    reason: str
    missing: str | None
    attempts: int
    due_at: datetime | None
    last_error: str | None
    inbox_id: bytes
    record: Record | None

    @property
    def size(self) -> int:
        """The bytes of the record; 0 for a timer."""
        return self.record.size if self.record is not None else 0


class Change(Struct, frozen=True):
    """A row that stays parked, in its place, for another reason or for longer."""

    id: int
    reason: str
    attempts: int
    due_at: datetime | None = None
    missing: str | None = None
    last_error: str | None = None


def holds(reason: str, due_at: datetime | None, now: datetime) -> bool:
    """Return True if a row holds the rows of its entity that come after it."""
    if reason == RETRY:
        return due_at is not None and due_at > now
    return reason == DEAD


def backoff(attempts: int, seed: bytes) -> timedelta:
    """Return the delay before the next attempt: 1, 4, 16 s, and up to half of it more, depending on the seed."""
    return spread(timedelta(seconds=4 ** (attempts - 1)), seed + bytes([attempts]))


def spread(pause: timedelta, seed: bytes) -> timedelta:
    """Return a pause and up to half of it more, depending on the seed."""
    return pause * (1 + int.from_bytes(blake2b(seed, digest_size=2).digest(), "big") / 65535 / 2)


def is_not_held(entity: str) -> str:
    """Return the SQL condition that no row under retry or given up holds the entity, an SQL expression."""
    return f"NOT EXISTS (SELECT FROM parked p WHERE p.entity = {entity} AND p.reason IN ('retry', 'dead'))"


async def load(
    connection: Any, entities: Sequence[str], row_ids: Sequence[int] = (), *, is_tried: bool = False
) -> list[Any]:
    """Return the rows of these entities, and these single rows unless another worker has them.

    Both are in the order in which they were parked. A row that has not `is_read` comes without its record. Set
    `is_tried` for the timers, which try the messages of these entities.
    """
    rows: list[Any] = await connection.fetch(LOAD_TRIED if is_tried else LOAD, entities)
    return [*rows, *await connection.fetch(LOAD_SINGLE, row_ids)] if row_ids else rows


async def save(
    connection: Any, changes: Sequence[Change], removed: Sequence[int], rows: Sequence[NewRow]
) -> None:
    """Change, remove and insert rows, with at most one statement each. Of several changes of a row the last counts."""
    if changes:
        last = {change.id: change for change in changes}.values()
        changed = [(c.id, c.reason, c.attempts, c.due_at, c.missing, c.last_error) for c in last]
        await connection.execute(CHANGE, *map(list, zip(*changed, strict=True)))
    if removed:
        await connection.execute(REMOVE, removed)
    if rows:
        await connection.execute(INSERT, *map(list, zip(*map(_values, rows), strict=True)))


def select(
    *,
    reason: str | None = None,
    entity: str | None = None,
    subject: str | None = None,
    type_: str | None = None,
) -> sa.Select[Any]:
    """Return the statement that selects rows for operators, without their content. None means any.

    `missing` is what an early message needs. `age` is measured in the service's time, like `since` and `due_at`.
    """
    p = tables.parked.c
    wanted = {p.reason: reason, p.entity: entity, p.subject: subject, p.type: type_}
    columns = (p.id, p.entity, p.subject, p.type, p.topic, p.reason, p.attempts, p.due_at, p.since)
    missing = sa.case((p.reason == EARLY, p.missing)).label("missing")
    return sa.select(*columns, missing, (tables.NOW - p.since).label("age")).where(
        *(column == value for column, value in wanted.items() if value is not None)
    )


def count_behind(entity: sa.ColumnElement[Any]) -> sa.ScalarSelect[int]:
    """Return the number of rows that are parked behind a failed message of an entity, as an SQL expression."""
    p = tables.parked.c
    return sa.select(sa.func.count(p.id)).where(p.entity == entity, p.reason == BEHIND).scalar_subquery()


async def find_entities(connection: Any, beginning: str, *, limit: int) -> list[str]:
    """Return the entities of parked messages that begin so."""
    return [row[0] for row in await connection.fetch(_ENTITIES, beginning, limit)]


async def retry_letters(connection: Any, ids: Sequence[UUID]) -> None:
    """Make the rows of dead letters due now, in their places. The record of one without a row is parked anew."""
    await connection.execute(_RETRY_LETTERS, ids)


async def drop_letters(connection: Any, ids: Sequence[UUID]) -> None:
    """Remove the rows of dead letters. The next row of each entity becomes due, unless another row holds it."""
    await connection.execute(_DROP_LETTERS, ids)
    await connection.execute(_MAKE_NEXT_DUE, ids)


async def at_places(connection: Any, *places: Sequence[Any]) -> list[Any]:
    """Return the rows of retried dead letters: letter, reason, attempts, missing, due_at.

    `places` are the columns id, topic, partition, offset and entity of the letters. A record is found by its position
    in Kafka. A timer has none and is found by its entity.
    """
    rows: list[Any] = await connection.fetch(_AT_PLACES, *places)
    return rows


def _values(row: NewRow) -> tuple[Any, ...]:
    r = row.record
    record = (
        (r.topic, r.partition, r.offset, r.key, r.value, headers_to_json(r.headers)) if r else (None,) * 6
    )
    what = (row.entity, row.subject, row.model, row.account, row.type)
    why = (row.reason, row.missing, row.attempts, row.due_at)
    return (*what, *why, row.last_error, row.inbox_id, row.size, *record)
