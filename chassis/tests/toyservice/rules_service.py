"""The toy service with what it takes to show every rule of the stage: other states, append-only rows, own events."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
import toy
from sqlalchemy.dialects.postgresql import UUID as UUID_TYPE

from didflow_chassis.decision import Command, Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_chassis.service import Handler, Ref
from didflow_chassis.states import Kind
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.ids import uuid7


class Limited(EventData):
    """The counter named its limit; it fails while that limit does not exist."""

    topic: ClassVar[str] = "counter.limited"


@dataclass(frozen=True, kw_only=True)
class Note:
    """One row of the history: which decision was taken about which counter."""

    id: UUID
    did_id: UUID
    decision: str


@dataclass(frozen=True, kw_only=True)
class Move(Command):
    """Move an amount to another counter."""

    amount: int
    to: UUID
    to_number: str


@dataclass(frozen=True, kw_only=True)
class MoveUndeclared(Move):
    """The same, but its handler declares the other counter as read only."""


@dataclass(frozen=True, kw_only=True)
class ReadUndeclared(Command):
    """Read a limit that the handler does not declare."""


@dataclass(frozen=True, kw_only=True)
class ReadOwnLimit(Command):
    """Return the limit that the counter itself names."""


@dataclass(frozen=True, kw_only=True)
class SetTotal(Command):
    """Set the total of a counter."""

    total: int


@dataclass(frozen=True, kw_only=True)
class Correct(SetTotal):
    """Set the total of a counter, also while an earlier message of it has failed."""


def on_limited(counter: toy.Counter | None, event: Event[Limited], now: datetime, known: Known) -> Decision:
    if counter is None:
        return TooEarly("counter.opened")
    limit = known.get(toy.Limit, "default")
    if limit is None:
        raise LookupError("no default limit")
    return Decided(state=replace(counter, limit_name=limit.name))


def on_counted(counter: toy.Counter | None, event: Event[toy.Counted], now: datetime) -> Decision:
    return Refused("own_event_was_decided")


def move(counter: toy.Counter, command: Move, now: datetime, known: Known) -> Decision:
    other = known.get(toy.Counter, command.to)
    assert other is not None
    source = replace(counter, total=counter.total - command.amount)
    target = replace(other, total=other.total + command.amount)
    return Decided(state=source, also=(target,), events=(_counted(source), _counted(target)))


def read_undeclared(counter: toy.Counter, command: ReadUndeclared, now: datetime, known: Known) -> Decision:
    return Unchanged(answer=known.get(toy.Limit, "other"))


def read_own_limit(counter: toy.Counter, command: ReadOwnLimit, now: datetime, known: Known) -> Decision:
    limit = known.get(toy.Limit, counter.limit_name)
    return Unchanged(answer=limit.most if limit else None)


def set_total(counter: toy.Counter | None, command: SetTotal, now: datetime) -> Decision:
    if counter is None:
        return Refused("no_counter")
    if counter.total == command.total:
        return Unchanged(answer=counter.total)
    return Decided(state=replace(counter, total=command.total), answer=command.total)


def note(message: Any, decision: Any, state: Any, at: datetime, known: Any) -> tuple[Note, ...]:
    if state is None or not isinstance(state, toy.Counter):
        return ()
    return (Note(id=uuid7(), did_id=state.did_id, decision=type(decision).__name__),)


def _counted(counter: toy.Counter) -> toy.Counted:
    return toy.Counted(
        did_id=counter.did_id, number=counter.number, account=counter.account, total=counter.total
    )


NOTES = sa.Table(
    "notes",
    toy.METADATA,
    sa.Column("id", UUID_TYPE, primary_key=True),
    sa.Column("did_id", UUID_TYPE, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
)


def _both(command: Move) -> tuple[Ref, ...]:
    return (Ref(toy.Counter, command.to, write=True, subject=command.to_number),)


def _read_only(command: Move) -> tuple[Ref, ...]:
    return (Ref(toy.Counter, command.to, subject=command.to_number),)


def _default_limit(_: object) -> tuple[Ref, ...]:
    return (Ref(toy.Limit, "default"),)


def _own_limit(counter: toy.Counter | None, command: object, known: Known) -> tuple[Ref, ...]:
    return (Ref(toy.Limit, counter.limit_name),) if counter and counter.limit_name else ()


RULES_SERVICE = replace(
    toy.SERVICE,
    kinds=(*toy.SERVICE.kinds, Kind(model=Note, table=NOTES, key="id", append_only=True)),
    events={
        **toy.SERVICE.events,
        Limited: Handler(decide=on_limited, needs=_default_limit),
        toy.Counted: Handler(decide=on_counted),
    },
    commands={
        **toy.SERVICE.commands,
        Move: Handler(decide=move, needs=_both),
        MoveUndeclared: Handler(decide=move, needs=_read_only),
        ReadUndeclared: Handler(decide=read_undeclared, needs=_default_limit),
        ReadOwnLimit: Handler(decide=read_own_limit, state_needs=_own_limit),
        SetTotal: Handler(decide=set_total),
        Correct: Handler(decide=set_total, when_held=True),
    },
    history=note,
)


async def prepare(dsn: str) -> None:
    """Make the tables of the toy service and the notes."""
    await toy.prepare(dsn)
