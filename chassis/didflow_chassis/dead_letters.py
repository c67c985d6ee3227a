"""The `dead_letters` table: records that were given up, and what an operator can do with them. All its SQL is here.

The row is authoritative; the topic `<service>.dlq` gets a copy in the same transaction. A retry or a drop removes the
dead letter and changes its parked messages in one transaction, so nothing is decided twice or lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
from msgspec import Struct

from didflow_chassis import parked
from didflow_chassis.database import DRIVER_ERRORS, Outage, hash64
from didflow_chassis.records import (
    Headers,
    OutboxRow,
    Record,
    escaped,
    headers_from_json,
    headers_to_json,
)
from didflow_contracts.envelope import MAX_VALUE_BYTES
from didflow_contracts.ids import uuid7

Done = Literal["retried", "dropped", "absent"]
"""`absent`: there is no such dead letter, or it was retried or dropped before. Nothing was changed."""

MAX_TRUNCATED = 1024
"""How many bytes of an oversized value or key are stored."""
MAX_HEADERS = 64 * 1024
"""The most bytes of headers that are stored."""

_COLUMNS = 'id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated, entity'
INSERT = """
INSERT INTO dead_letters (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated, entity)
SELECT i, clock_timestamp(), r, d, t, p, o, k, v, h, c, e
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bytea[], $8::bytea[],
            $9::jsonb[], $10::boolean[], $11::text[]) AS u (i, r, d, t, p, o, k, v, h, c, e)
"""
_LIST = f"SELECT {_COLUMNS} FROM dead_letters WHERE $1::text IS NULL OR reason = $1 ORDER BY at, id LIMIT $2"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM dead_letters WHERE id = $1"  # noqa: S608
_COUNT = "SELECT reason, count(*) FROM dead_letters GROUP BY reason ORDER BY reason"
_LOCK = "SELECT pg_advisory_xact_lock($1)"
_DELETE = "DELETE FROM dead_letters WHERE id = $1"


class NewLetter(Struct, frozen=True):
    """A record to give up. `entity` is set if later messages of that entity are parked behind it."""

    reason: str
    detail: str
    record: Record | None
    entity: str | None = None


class Truncated(Exception):
    """The record was too large to be stored whole. What is left of it cannot be retried."""

    code = "truncated"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A record that was given up, as it was read. `entity` is set if later messages are parked behind it."""

    id: UUID
    at: datetime
    reason: str
    detail: str
    topic: str | None
    partition: int | None
    offset: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    truncated: bool
    entity: str | None


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
        cut, truncated = _truncated(record)
        position = (record.topic, record.partition, record.offset) if letter.record else (None, None, None)
        stored = (cut.key, cut.value, headers_to_json(cut.headers), truncated, letter.entity)
        rows.append((uuid7(), letter.reason, escaped(letter.detail), *position, *stored))
        headers = (*cut.headers, *_cause(letter.reason, service, record, now))
        # aiokafka refuses to send a record that has neither key nor value, so such a copy has an empty value.
        value = b"" if cut.key is None and cut.value is None else cut.value
        copies.append(OutboxRow(f"{prefix}{service}.dlq", cut.key, value, headers_to_json(headers)))
    await connection.execute(INSERT, *map(list, zip(*rows, strict=True)))
    return copies


class DeadLetters:
    """The dead letters of one service's database, over one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def list(self, *, reason: str | None = None, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters, oldest first: those of one reason, or all."""
        return [_dead_letter(row) for row in await self._connection.fetch(_LIST, reason, limit)]

    async def find(self, letter_id: UUID) -> DeadLetter | None:
        """Return one dead letter, or None."""
        row = await self._connection.fetchrow(_ONE, letter_id)
        return _dead_letter(row) if row else None

    async def count(self) -> dict[str, int]:
        """Return the number of dead letters of each reason."""
        return {row[0]: row[1] for row in await self._connection.fetch(_COUNT)}

    async def retry(self, letter_id: UUID) -> Done:
        """Let the record be decided again, before the messages that are parked behind it. Raises Truncated."""
        async with self._connection.transaction():
            letter = await self._locked(letter_id)
            if letter is None:
                return "absent"
            if letter.truncated:
                raise Truncated(f"the record of dead letter {letter_id} was stored only in part")
            await parked.retry_letter(self._connection, letter_id)
            await self._connection.execute(_DELETE, letter_id)
        return "retried"

    async def drop(self, letter_id: UUID) -> Done:
        """Remove the record for good. The messages that are parked behind it are then processed."""
        async with self._connection.transaction():
            letter = await self._locked(letter_id)
            if letter is None:
                return "absent"
            await parked.drop_letter(self._connection, letter_id)
            await self._connection.execute(_DELETE, letter_id)
        return "dropped"

    async def _locked(self, letter_id: UUID) -> DeadLetter | None:
        """Lock the subject as the stage does, so that meanwhile no message is parked behind the dead letter."""
        subject = await parked.subject_of_letter(self._connection, letter_id)
        if subject is not None:
            await self._connection.execute(_LOCK, hash64(subject))
        row = await self._connection.fetchrow(f"{_ONE} FOR UPDATE", letter_id)
        return _dead_letter(row) if row else None


async def connect(dsn: str) -> Any:
    """Open a connection to a service's database. Raises Outage if the database cannot be reached."""
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be reached: {type(error).__name__}") from error


def _dead_letter(row: Any) -> DeadLetter:
    values = dict(row)
    headers = headers_from_json(values["headers"])
    return DeadLetter(**values | {"headers": headers, "detail": values["detail"] or ""})


def _truncated(record: Record) -> tuple[Record, bool]:
    """Cut what a dead letter topic would not accept: a value over the limit, too many bytes of headers."""
    value, headers, truncated = record.value, record.headers, False
    if value is not None and len(value) > MAX_VALUE_BYTES:
        value, truncated = value[:MAX_TRUNCATED], True
    if _size(headers) > MAX_HEADERS:
        headers, truncated = headers[:20] if _size(headers[:20]) <= MAX_HEADERS else (), True
    key = record.key[:MAX_TRUNCATED] if record.key else record.key
    return Record(record.topic, record.partition, record.offset, key, value, headers), truncated


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)


def _cause(reason: str, service: str, record: Record, at: datetime) -> Headers:
    """Return the headers that name the reason and the origin of a copy."""
    headers = {
        "dlq_reason": reason,
        "dlq_service": service,
        "dlq_topic": record.topic,
        "dlq_partition": str(record.partition),
        "dlq_offset": str(record.offset),
        "dlq_at": at.isoformat(),
    }
    return tuple((name, text.encode()) for name, text in headers.items())
