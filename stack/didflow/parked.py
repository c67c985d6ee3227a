"""The parked messages of all services: what they wait for, since when and until when. Their content is not read.

Source: spec events, "Across topics there is no order".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from didflow_chassis.dead_letters import connect
from didflow_chassis.parked import REASONS, find
from didflow_chassis.records import headers_from_json
from didflow_contracts.cloudevents import BadEvent, read_record
from didflow_contracts.events import EVENT_TYPES

__all__ = ["REASONS", "Waiting", "Wanted", "listed"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which messages to list. None: all. `number` is the subject of the messages."""

    reason: str | None = None
    did_id: UUID | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One parked message. `type` is empty if its bytes are not an event of the contract.

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
    found: list[Waiting] = []
    did_id = str(wanted.did_id) if wanted.did_id else None
    for service, dsn in databases.items():
        connection = await connect(dsn)
        try:
            rows = await find(
                connection, reason=wanted.reason, entity=did_id, subject=wanted.number, limit=limit
            )
        finally:
            await connection.close()
        found += [_waiting(service, row) for row in rows]
    return sorted(found, key=lambda one: (one.since, one.id))[:limit]


def _waiting(service: str, row: Any) -> Waiting:
    values = dict(row)
    return Waiting(
        service=service,
        number=values.pop("subject"),
        topic=values.pop("topic") or "",
        missing=values.pop("missing") or "",
        type=_type(values.pop("value"), values.pop("headers")),
        **values,
    )


def _type(value: bytes | None, headers: str | None) -> str:
    """Return the event's type and nothing else of its bytes."""
    if value is None:
        return ""
    try:
        named = read_record(value, headers_from_json(headers))[0].get("type")
    except BadEvent:
        return ""
    return named if isinstance(named, str) and named in EVENT_TYPES else ""
