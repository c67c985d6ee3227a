"""The parked messages of all services: what they wait for, since when and until when. Their content is not read.

Source: spec events, "Across topics there is no order".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from didflow.dead_letters import login, opened
from didflow.errors import MOST_SHOWN, Ambiguous
from didflow.id_prefix import IdPrefix
from didflow_chassis import parked, parked_operations, tables
from didflow_chassis.decision import Refused
from didflow_chassis.parked import REASONS

__all__ = ["MOST", "REASONS", "Waiting", "Wanted", "entity", "give_up", "listed"]

MOST: Final = 100_000
"""The most messages that one call gives up."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which messages are meant. None: all. `entity` is the id of a DID, `number` the subject of the messages.

    `topic` stands for the type of their events.
    """

    reason: str | None = None
    entity: str | None = None
    number: str | None = None
    topic: str | None = None

    @property
    def type(self) -> str | None:
        """The type of the messages."""
        return None if self.topic is None else f"didflow.{self.topic}.v1"


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
    statement = parked.select(
        reason=wanted.reason, entity=wanted.entity, subject=wanted.number, type_=wanted.type
    )
    columns = tables.parked.c
    statement = statement.order_by(columns.since, columns.id).limit(limit)
    found: list[Waiting] = []
    for service, dsn in databases.items():
        async with opened(dsn) as database:
            found += [_waiting(service, row) for row in await database.fetch(statement)]
    return sorted(found, key=lambda one: (one.since, one.id))[:limit]


async def give_up(databases: Mapping[str, str], found: Sequence[Waiting]) -> int:
    """Give up messages under retry. Return how many will be tried once more and then be dead letters. Raises Outage."""
    given_up = 0
    for service, dsn in databases.items():
        ids = [one.id for one in found if one.service == service]
        async with opened(dsn) as database:
            results = await parked_operations.give_up(database, ids, actor=f"user:{login()}")
        given_up += sum(not isinstance(result, Refused) for result in results.values())
    return given_up


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
