"""The parked messages of all services: what they wait for, since when and until when. Their content is not read.

Source: spec events, "Across topics there is no order".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from didflow.dead_letters import opened
from didflow.errors import MOST_SHOWN, Ambiguous
from didflow.id_prefix import IdPrefix
from didflow_chassis import parked, tables
from didflow_chassis.parked import REASONS

__all__ = ["REASONS", "Waiting", "Wanted", "entity", "listed"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which messages to list. None: all. `entity` is the id of a DID; `number` is the subject of the messages."""

    reason: str | None = None
    entity: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One parked message. `type` is empty for a timer, and for a retried record that is not decoded yet.

    It waits, by `reason`: early (for `missing`), retry (until `due_at`), behind (for another message of its entity),
    dead (for an operator).
    """

    service: str
    id: int
    entity: str
    number: str
    topic: str
    type: str
    reason: str
    missing: str
    attempts: int
    due_at: datetime | None
    since: datetime
    age: timedelta


async def listed(databases: Mapping[str, str], wanted: Wanted, *, limit: int) -> list[Waiting]:
    """Return the parked messages of these services, the longest parked first. Raises Outage."""
    statement = parked.select(reason=wanted.reason, entity=wanted.entity, subject=wanted.number)
    columns = tables.parked.c
    statement = statement.order_by(columns.since, columns.id).limit(limit)
    found: list[Waiting] = []
    for service, dsn in databases.items():
        async with opened(dsn) as database:
            found += [_waiting(service, row) for row in await database.fetch(statement)]
    return sorted(found, key=lambda one: (one.since, one.id))[:limit]


async def entity(databases: Mapping[str, str], prefix: IdPrefix) -> str | None:
    """Return the id of the entity with parked messages that begins so, or None. Raises Ambiguous, Outage."""
    if prefix.whole is not None:
        return str(prefix.whole)
    found: set[str] = set()
    for dsn in databases.values():
        async with opened(dsn) as database:
            found |= set(await parked.find_entities(database, prefix.text, limit=MOST_SHOWN + 1))
    if len(found) > 1:
        raise Ambiguous(prefix.text, sorted(found))
    return found.pop() if found else None


def _waiting(service: str, row: Any) -> Waiting:
    values = dict(row)
    return Waiting(
        service=service,
        number=values.pop("subject"),
        topic=values.pop("topic") or "",
        type=values.pop("type") or "",
        missing=values.pop("missing") or "",
        **values,
    )
