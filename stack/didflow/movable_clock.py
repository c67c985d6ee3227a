"""The embedded stack's clock: one row in each database, moved together, forward only."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from didflow.durations import Duration
from didflow.errors import ClockNotMovable, NoStack
from didflow.state import read
from didflow.target import Target
from didflow_chassis.database import NOW_SQL
from didflow_chassis.deadletters import connect

_ADVANCE = "UPDATE clock SET shift = shift + make_interval(months => $1, days => $2, secs => $3)"
_SHIFT = "SELECT shift::text FROM clock"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a service's clock says, and how far it is ahead of the machine's."""

    service: str
    now: datetime
    shift: str


def require_movable(target: Target) -> None:
    """Raise ClockNotMovable anywhere but on a running stack with an embedded database."""
    if target.postgres:
        raise ClockNotMovable("only the embedded stack's clock can be moved, not that of a given PostgreSQL")
    try:
        embedded = read(target.folder).embedded_postgres
    except NoStack as error:
        raise ClockNotMovable(f"only the embedded stack's clock can be moved: {error}") from None
    if not embedded:
        raise ClockNotMovable(f"the stack in {target.folder} runs on a given PostgreSQL")


async def advance(databases: Mapping[str, str], by: Duration) -> list[Reading]:
    """Move the clock of every service and return what they say now. Raises Outage."""
    return await _on_each(databases, by)


async def show(databases: Mapping[str, str]) -> list[Reading]:
    """Return what every service's clock says. Raises Outage."""
    return await _on_each(databases, None)


async def _on_each(databases: Mapping[str, str], by: Duration | None) -> list[Reading]:
    """Open all connections first, so that either all clocks move or none was reached."""
    async with AsyncExitStack() as exits:
        connections: dict[str, Any] = {}
        for name, dsn in databases.items():
            connections[name] = await connect(dsn)
            exits.push_async_callback(connections[name].close)
        if by is not None:
            for connection in connections.values():
                await connection.execute(_ADVANCE, by.months, by.days, float(by.seconds))
        return [await _read(name, connection) for name, connection in connections.items()]


async def _read(name: str, connection: Any) -> Reading:
    now, shift = await connection.fetchval(NOW_SQL), await connection.fetchval(_SHIFT)
    return Reading(service=name, now=now, shift=shift)
