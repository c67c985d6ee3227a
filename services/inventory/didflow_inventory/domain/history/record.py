"""Which entries a message leaves in the history: one for each thing that it is about, or that it changed.

Applying the `after` of all changes of a thing, in order, gives its present state.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from didflow_chassis.decision import Command, Decided, Decision, Known, TooEarly, Unchanged, refusal_of
from didflow_contracts.accounts import is_within
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import MessageRefused
from didflow_inventory.domain.accounts import account, carriers, operators, users
from didflow_inventory.domain.changes import changes
from didflow_inventory.domain.commands import RebuildDid
from didflow_inventory.domain.did import Did, DidAt
from didflow_inventory.domain.history.causes import cause_of, extra_of
from didflow_inventory.domain.history.entry import EntryOutcome, HistoryEntry
from didflow_inventory.domain.history.things import Changes, Thing
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.packages import package
from didflow_inventory.domain.stock import number, reservation

DID: Final = Thing(
    name="did",
    model=Did,
    key_of=lambda did: did.holding.did_id,
    account_of=lambda did: did.holding.account,
    changes=changes,
    number_of=lambda did: did.holding.number,
    timer="hold_end",
)
THINGS: Final[Mapping[type, Thing]] = {
    thing.model: thing
    for thing in (
        DID,
        number.THING,
        reservation.THING,
        account.THING,
        users.THING,
        carriers.THING,
        operators.THING,
        package.PACKAGE,
        package.CLIENT,
    )
}
"""All things that the history tells about, by the class of their states."""

Message = Event[Any] | Command | None


class _Affected(NamedTuple):
    """One thing, before and after a decision. `after` is None if the decision left it as it was."""

    thing: Thing
    before: Any
    after: Any
    changes: Changes


def record(
    message: Message, decision: Decision, state: Any, now: datetime, known: Known
) -> Iterable[HistoryEntry]:
    """Return the history entries of one message, or of a due timer. `state` is the state before the decision.

    The thing that a message is about has an entry, whatever the decision is. Every other thing that the decision
    changed has one too. A message that came too early gets its entry when it is decided. A rebuild and a due timer
    have an entry only if they change something that is recorded.
    """
    if isinstance(decision, TooEarly):
        return ()
    if isinstance(message, Event):
        main: HistoryEntry | None = _of_event(message, decision, state, now)
    else:
        main = _of_command(message, decision, state, now)
    entries = [] if main is None else [main]
    if isinstance(decision, Decided) and decision.also:
        about = THINGS.get(type(state))
        entries += _of_other_things(message, decision, now, known, timer="" if about is None else about.timer)
    return entries


def _of_event(event: Event[EventData], decision: Decision, state: Any, now: datetime) -> HistoryEntry:
    """Return the entry of an event: of its DID, whether inventory knows it or not."""
    before = state if isinstance(state, Did) else None
    after = decision.state if isinstance(decision, Decided) else None
    return _written(
        event,
        decision,
        now,
        thing=DID.name,
        did_id=event.data.did_id,
        thing_id=None,
        number=event.data.number,
        account=_account(DID, before, after) or event.data.account,
        code=_code(decision) or _reported_code(event.data),
        changes=changes(before, after),
        extra=extra_of(event),
    )


def _of_command(
    message: Command | None, decision: Decision, before: Any, now: datetime
) -> HistoryEntry | None:
    """Return the entry of the thing that a command or a timer is about; None if there is no such thing.

    A command from outside the account of the thing belongs to nothing: it was refused as if the thing were unknown.
    """
    after = decision.state if isinstance(decision, Decided) else None
    if before is None and isinstance(decision, Unchanged) and isinstance(decision.answer, DidAt):
        return _of_repeat(message, decision, decision.answer.did.holding, now)
    thing = THINGS.get(type(after if before is None else before))
    if thing is None or not _is_allowed(message, _account(thing, before, after)):
        return None
    changed = thing.changes(before, after) if after is not None else {}
    if not changed and (message is None or isinstance(message, RebuildDid)):
        return None
    return _entry(message, decision, now, _Affected(thing, before, after, changed), thing.timer)


def _of_other_things(
    message: Message, decision: Decided[Any], now: datetime, known: Known, *, timer: str
) -> Iterator[HistoryEntry]:
    for after in decision.also:
        thing = THINGS.get(type(after))
        if thing is None:
            continue
        before = known.get(thing.model, thing.key_of(after))
        changed = thing.changes(before, after)
        if changed and _account(thing, before, after) is not None:
            yield _entry(message, decision, now, _Affected(thing, before, after, changed), timer)


def _of_repeat(message: Command | None, decision: Unchanged, did: Holding, now: datetime) -> HistoryEntry:
    """Return the entry of an order that was made before: it belongs to the DID that was made then."""
    return _written(
        message,
        decision,
        now,
        thing=DID.name,
        did_id=did.did_id,
        thing_id=None,
        number=did.number,
        account=did.account,
        code=None,
        changes={},
        extra={},
    )


def _entry(
    message: Message, decision: Decision, now: datetime, affected: _Affected, timer: str
) -> HistoryEntry:
    thing = affected.thing
    state, is_did = affected.before if affected.after is None else affected.after, thing is DID
    key = thing.key_of(state)
    return _written(
        message,
        decision,
        now,
        timer=timer,
        thing=thing.name,
        did_id=key if is_did else None,
        thing_id=None if is_did else str(key),
        number=thing.number_of(state),
        account=_account(thing, affected.before, affected.after),
        code=_code(decision),
        changes=affected.changes,
        extra={},
    )


def _written(
    message: Message, decision: Decision, now: datetime, *, timer: str = "", **about: Any
) -> HistoryEntry:
    cause = cause_of(message, timer, now)
    return HistoryEntry(
        **about,
        at=cause.at,
        recorded_at=now,
        type=cause.type,
        source=cause.source,
        event_id=cause.event_id,
        event_sequence=cause.event_sequence,
        causation_id=cause.causation_id,
        actor=cause.actor,
        outcome=_outcome(decision),
        claimed_actor=cause.claimed_actor,
    )


def _account(thing: Thing, before: Any, after: Any) -> str | None:
    """Return the account of an entry: the former one, unless the thing is handed to an account below it."""
    old = None if before is None else thing.account_of(before)
    new = None if after is None else thing.account_of(after)
    if old is None or (new is not None and is_within(new, old)):
        return new or old
    return old


def _is_allowed(message: Command | None, account: str | None) -> bool:
    return account is not None and (message is None or message.caller.reaches(account))


def _outcome(decision: Decision) -> EntryOutcome:
    if refusal_of(decision) is not None:
        return "refused"
    return "applied" if isinstance(decision, Decided) else "unchanged"


def _code(decision: Decision) -> str | None:
    refused = refusal_of(decision)
    if refused is not None:
        return refused.code
    after = decision.state if isinstance(decision, Decided) else None
    return after.holding.refusal_code if isinstance(after, Did) else None


def _reported_code(data: EventData) -> str | None:
    """Return the code with which another service refused a message, if the event reports such a refusal."""
    return data.code if isinstance(data, MessageRefused) else None
