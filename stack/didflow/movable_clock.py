"""The clock of the embedded stack: one row in each database. All rows move together, and only forward."""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from didflow.durations import Duration
from didflow.errors import BadInput, ClockNotMovable, NoStack
from didflow.installation import Installation
from didflow.state import read
from didflow_chassis.dead_letters import connect
from didflow_contracts.bounds import INSTANT

_ADVANCE = "UPDATE clock SET shift = shift + make_interval(months => $1, days => $2, secs => $3)"
_REACHED = "SELECT clock_timestamp() + shift + make_interval(months => $1, days => $2, secs => $3) FROM clock"
_READ = """
SELECT moment + shift, shift::text, moment + shift - moment FROM clock, (SELECT clock_timestamp() AS moment) AS machine
"""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The time of a service, and how far it is ahead of the machine's time: in words, and measured now."""

    service: str
    now: datetime
    shift: str
    ahead: timedelta

    @property
    def is_shifted(self) -> bool:
        """True if the clock does not show the machine's time."""
        return self.ahead != timedelta(0)


def as_iso(instant: datetime) -> str:
    """Return an instant as events have it: ISO 8601 in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def require_movable(installation: Installation) -> None:
    """Raise ClockNotMovable unless the installation is a running stack with an embedded database."""
    if installation.postgres:
        raise ClockNotMovable("Only the clock of the embedded stack can be moved. Leave out --postgres.")
    try:
        embedded = read(installation.folder).embedded_postgres
    except NoStack as error:
        raise ClockNotMovable(f"Only the clock of the embedded stack can be moved. {error}") from None
    if not embedded:
        raise ClockNotMovable(
            f"The stack in {installation.folder} does not run on the embedded PostgreSQL, so its clock cannot be moved."
        )


async def advance(databases: Mapping[str, str], by: Duration) -> list[Reading]:
    """Move the clock of every service and return the new times.

    Raises Outage, and BadInput if a clock would reach the last instant of the bounds: no later one can be stored.
    """
    return await _on_each(databases, by)


async def show(databases: Mapping[str, str]) -> list[Reading]:
    """Return the time of every service. Raises Outage."""
    return await _on_each(databases, None)


async def _on_each(databases: Mapping[str, str], by: Duration | None) -> list[Reading]:
    """Read, and if `by` is given first move, all clocks.

    All connections are opened first: if one database does not answer, no clock moves.
    """
    async with AsyncExitStack() as exits:
        connections: dict[str, Any] = {}
        for name, dsn in databases.items():
            connections[name] = await connect(dsn)
            exits.push_async_callback(connections[name].close)
        if by is not None:
            parts = (by.months, by.days, float(by.seconds))
            await _check_reached(connections.values(), parts)
            for connection in connections.values():
                await connection.execute(_ADVANCE, *parts)
        return [await _read(name, connection) for name, connection in connections.items()]


async def _check_reached(connections: Iterable[Any], parts: tuple[int, int, float]) -> None:
    """Raise BadInput if a clock would reach the last instant. An instant that Python cannot hold is later than that."""
    for connection in connections:
        try:
            is_reached = await connection.fetchval(f"SELECT ({_REACHED}) >= $4", *parts, INSTANT.most)
        except asyncpg.DataError:
            is_reached = True
        if is_reached:
            raise BadInput(f"The clock cannot be moved to {INSTANT.most:%Y-%m-%d} or later.")


async def _read(name: str, connection: Any) -> Reading:
    now, shift, ahead = await connection.fetchrow(_READ)
    return Reading(service=name, now=now, shift=shift, ahead=ahead)
