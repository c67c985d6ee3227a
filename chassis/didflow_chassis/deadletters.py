"""What an operator does with dead letters: look at them, try one again, give one up.

A letter leaves in the very transaction in which its record goes on, so nothing is tried twice or lost.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from didflow_chassis.database import DRIVER_ERRORS, Outage
from didflow_chassis.stage.headers import from_json
from didflow_chassis.stage.messages import Headers
from didflow_chassis.stage.work import lock_number

Outcome = Literal["retried", "dropped", "absent"]
"""`absent`: there is no such letter, or it was retried or dropped before. Nothing was done."""

_COLUMNS = 'id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated, entity'
_LIST = f"SELECT {_COLUMNS} FROM dead_letters WHERE $1::text IS NULL OR reason = $1 ORDER BY at, id LIMIT $2"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM dead_letters WHERE id = $1"  # noqa: S608
_COUNT = "SELECT reason, count(*) FROM dead_letters GROUP BY reason ORDER BY reason"
_TIME = "clock_timestamp() + (SELECT shift FROM clock)"
_SAME_PLACE = """
    p.entity = l.entity AND p.reason = 'dead' AND p.topic IS NOT DISTINCT FROM l.topic
    AND p.partition IS NOT DISTINCT FROM l.partition AND p."offset" IS NOT DISTINCT FROM l."offset"
"""
_SUBJECT = f"SELECT p.subject FROM dead_letters l JOIN parked p ON {_SAME_PLACE} WHERE l.id = $1"  # noqa: S608
_LOCK = "SELECT pg_advisory_xact_lock($1)"
_DELETE = "DELETE FROM dead_letters WHERE id = $1"
_RETRY_PARKED = f"""
UPDATE parked p SET reason = 'retry', attempts = 0, due_at = {_TIME}
FROM dead_letters l WHERE l.id = $1 AND {_SAME_PLACE}
"""  # noqa: S608
_PARK_LOOSE = f"""
INSERT INTO parked (entity, subject, model, reason, attempts, due_at, since, last_error, inbox_id,
                    topic, partition, "offset", key, value, headers)
SELECT '', '', '', 'retry', 0, {_TIME}, clock_timestamp(), l.detail, '', l.topic, l.partition, l."offset",
       l.key, l.value, l.headers
FROM dead_letters l WHERE l.id = $1
"""  # noqa: S608
_DROP_PARKED = f"""
DELETE FROM parked p USING dead_letters l WHERE l.id = $1 AND {_SAME_PLACE}
"""  # noqa: S608
_WAKE_NEXT = f"""
UPDATE parked p SET due_at = {_TIME} FROM (
    SELECT min(w.id) FILTER (WHERE w.reason = 'behind') AS first, bool_or(w.reason IN ('dead', 'retry')) AS held
    FROM parked w JOIN dead_letters l ON w.entity = l.entity WHERE l.id = $1) AS waiting
WHERE p.id = waiting.first AND NOT waiting.held
"""  # noqa: S608


class Truncated(Exception):
    """The record was too large to be kept whole: what is left of it cannot be tried again."""

    code = "truncated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A record that was given up on, as it came; `entity` is set where later messages wait behind it."""

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


class DeadLetters:
    """The dead letters of one service's database, over one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def list(self, *, reason: str | None = None, limit: int = 100) -> list[Letter]:
        """Return letters, oldest first, of one reason or of all."""
        return [_letter(row) for row in await self._connection.fetch(_LIST, reason, limit)]

    async def find(self, letter_id: UUID) -> Letter | None:
        """Return one letter, or None."""
        row = await self._connection.fetchrow(_ONE, letter_id)
        return _letter(row) if row else None

    async def count(self) -> dict[str, int]:
        """Return how many letters there are of each reason."""
        return {row[0]: row[1] for row in await self._connection.fetch(_COUNT)}

    async def retry(self, letter_id: UUID) -> Outcome:
        """Let the record be decided again, in its place before what waits behind it. Raises Truncated."""
        async with self._connection.transaction():
            letter = await self._locked(letter_id)
            if letter is None:
                return "absent"
            if letter.truncated:
                raise Truncated(f"{letter_id} was cut when it was kept")
            if await self._connection.execute(_RETRY_PARKED, letter_id) == "UPDATE 0":
                await self._connection.execute(_PARK_LOOSE, letter_id)
            await self._connection.execute(_DELETE, letter_id)
        return "retried"

    async def drop(self, letter_id: UUID) -> Outcome:
        """Give the record up for good; what waited behind it goes on."""
        async with self._connection.transaction():
            letter = await self._locked(letter_id)
            if letter is None:
                return "absent"
            await self._connection.execute(_DROP_PARKED, letter_id)
            await self._connection.execute(_WAKE_NEXT, letter_id)
            await self._connection.execute(_DELETE, letter_id)
        return "dropped"

    async def _locked(self, letter_id: UUID) -> Letter | None:
        """Lock the letter's subject as the stage does, so that nothing new is parked behind it meanwhile."""
        subject = await self._connection.fetchval(_SUBJECT, letter_id)
        if subject is not None:
            await self._connection.execute(_LOCK, lock_number(subject))
        row = await self._connection.fetchrow(f"{_ONE} FOR UPDATE", letter_id)
        return _letter(row) if row else None


async def connect(dsn: str) -> Any:
    """Open a connection to a service's database. Raises Outage where it cannot be reached."""
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be reached: {type(error).__name__}") from error


def _letter(row: Any) -> Letter:
    values = dict(row)
    return Letter(
        **values | {"headers": from_json(values["headers"]), "detail": values["detail"] or ""},
    )
