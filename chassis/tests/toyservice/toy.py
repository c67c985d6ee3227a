"""A small service about counters, for tests of the stage: it has no telephony and uses every path."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as UUID_TYPE
from sqlalchemy.ext.asyncio import create_async_engine

from didflow_chassis import tables
from didflow_chassis.decision import Command, Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_chassis.service import Handler, Ref, Service
from didflow_chassis.states import Kind, state_table
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData


class Opened(EventData):
    topic: ClassVar[str] = "counter.opened"


class Added(EventData):
    topic: ClassVar[str] = "counter.added"
    amount: int


class Counted(EventData):
    topic: ClassVar[str] = "counter.counted"
    total: int


@dataclass(frozen=True, kw_only=True)
class Counter:
    did_id: UUID
    number: str
    account: str
    total: int = 0
    additions: tuple[int, ...] = ()
    rings_at: datetime | None = None
    limit_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Limit:
    name: str
    most: int


@dataclass(frozen=True, kw_only=True)
class Add(Command):
    amount: int


@dataclass(frozen=True, kw_only=True)
class SetLimit(Command):
    most: int


POISONED = 666
"""Adding this amount raises, like a defect in our own code."""
UNSTORABLE = 2**40
"""Adding this amount is decided, but the database refuses the row."""


def on_opened(counter: Counter | None, event: Event[Opened], now: datetime) -> Decision:
    if counter:
        return Unchanged()
    data = event.data
    fresh = Counter(did_id=data.did_id, number=data.number, account=data.account)
    return Decided(state=fresh, events=(_counted(fresh),))


def on_added(counter: Counter | None, event: Event[Added], now: datetime, known: Known) -> Decision:
    return _add(counter, event.data.amount, known.get(Limit, "default"))


def add(counter: Counter | None, command: Add, now: datetime, known: Known) -> Decision:
    return _add(counter, command.amount, known.get(Limit, "default"))


def _add(counter: Counter | None, amount: int, limit: Limit | None) -> Decision:
    if counter is None:
        return TooEarly("counter.opened")
    if amount == POISONED:
        raise ZeroDivisionError("poisoned")
    if limit and counter.total + amount > limit.most:
        return Refused("over_limit")
    after = replace(counter, total=counter.total + amount, additions=(*counter.additions, amount))
    return Decided(state=after, events=(_counted(after),), answer=after.total)


def set_limit(limit: Limit | None, command: SetLimit, now: datetime) -> Decision:
    return Decided(state=Limit(name=str(command.entity_id), most=command.most))


def on_ring(counter: Counter, at: datetime) -> Decision:
    again = at + timedelta(hours=1) if counter.total < 100 else None
    after = replace(counter, total=counter.total + 1, rings_at=again)
    return Decided(state=after, events=(_counted(after),))


def _counted(counter: Counter) -> Counted:
    return Counted(did_id=counter.did_id, number=counter.number, account=counter.account, total=counter.total)


METADATA = sa.MetaData()
COUNTERS = state_table(
    "counters",
    METADATA,
    sa.Column("did_id", UUID_TYPE, primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("additions", JSONB, nullable=False),
    sa.Column("rings_at", TIMESTAMP(timezone=True)),
    sa.Column("limit_name", sa.Text),
    emits=True,
)
LIMITS = state_table(
    "limits",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("most", sa.Integer, nullable=False),
)


def _default_limit(_: object) -> tuple[Ref, ...]:
    return (Ref(Limit, "default"),)


SERVICE = Service(
    name="counting",
    main=Counter,
    kinds=(
        Kind(model=Counter, table=COUNTERS, key="did_id", subject="number", due="rings_at"),
        Kind(model=Limit, table=LIMITS, key="name"),
    ),
    events={Opened: Handler(decide=on_opened), Added: Handler(decide=on_added, needs=_default_limit)},
    commands={
        Add: Handler(decide=add, needs=_default_limit),
        SetLimit: Handler(decide=set_limit, model=Limit),
    },
    due={Counter: Handler(decide=on_ring)},
    migrations=Path(__file__).parent,
)


async def prepare(dsn: str) -> None:
    """Create the tables of the chassis and of the toy service."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(tables.METADATA.create_all)
        await connection.run_sync(METADATA.create_all)
        await connection.exec_driver_sql("INSERT INTO clock DEFAULT VALUES")
    await engine.dispose()
