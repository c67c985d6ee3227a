"""The toy service with timers that need other states, and with a second kind of timers."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import toy
from sqlalchemy.dialects.postgresql import TIMESTAMP
from toy_messages import ACCOUNT
from toy_records import named

from didflow_chassis.decision import Decided, Known
from didflow_chassis.service import Handler, Ref, Service
from didflow_chassis.states import Kind, state_table

PAST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A timer that runs once."""

    name: str
    due_at: datetime | None


ALARMS = state_table(
    "alarms",
    toy.METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("due_at", TIMESTAMP(timezone=True)),
)


def on_alarm(alarm: Alarm, at: datetime) -> Decided[Alarm]:
    return Decided(state=replace(alarm, due_at=None))


def on_ring(counter: toy.Counter, at: datetime, known: Known) -> Decided[toy.Counter]:
    """Ring once. The counter's limit must be loaded."""
    if counter.limit_name is not None:
        known.get(toy.Limit, counter.limit_name)
    return Decided(state=replace(counter, total=counter.total + 1, rings_at=None))


def limit_of(counter: toy.Counter, _message: Any, _known: Known) -> tuple[Ref, ...]:
    return (Ref(toy.Limit, counter.limit_name),) if counter.limit_name else ()


def service(*, finds_early: bool = True) -> Service:
    """Return the service. If `finds_early`, the limit is found before the locks are taken, otherwise under them."""
    ring = Handler(decide=on_ring, state_needs=limit_of, state_needs_are_rare=not finds_early)
    alarms = Kind(model=Alarm, table=ALARMS, key="name", due="due_at")
    return replace(
        toy.SERVICE,
        kinds=(*toy.SERVICE.kinds, alarms),
        due={toy.Counter: ring, Alarm: Handler(decide=on_alarm)},
    )


def due_counters(count: int, *, limit_name: str | None = None, first: int = 0) -> list[toy.Counter]:
    """Return counters whose timers are due, the first one for the longest time."""
    found = []
    for place in range(first, first + count):
        did_id, number = named(place)
        at = PAST + timedelta(seconds=place)
        found.append(
            toy.Counter(did_id=did_id, number=number, account=ACCOUNT, rings_at=at, limit_name=limit_name)
        )
    return found


def due_alarms(count: int) -> list[Alarm]:
    """Return alarms that are due."""
    return [Alarm(name=f"alarm {place}", due_at=PAST + timedelta(seconds=place)) for place in range(count)]


async def prepare(dsn: str) -> None:
    """Make the tables of the toy service and the alarms."""
    await toy.prepare(dsn)
