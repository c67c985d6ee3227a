"""The history of a DID: one entry for each message about it, whatever its decision was. Entries never change.

Applying the `after` of all changes of a DID, in order, gives the present DID.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from didflow_chassis.decision import Command, Decided, Decision, Refused, TooEarly, Unchanged
from didflow_contracts.cloudevents import OUR_SOURCES
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import LedgerPosted, MessageRefused, ResultReported
from didflow_contracts.ownership import is_from_didflow
from didflow_inventory.domain.changes import Change, changes
from didflow_inventory.domain.commands import AssignEndUser, Purchase, RebuildDid, StartPorting
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.holding.commands import DID_COMMANDS, DidCommand
from didflow_inventory.domain.my_numbers.answer import DidAnswer

RecordedCommand = Purchase | StartPorting | AssignEndUser | RebuildDid | DidCommand
EntryOutcome = Literal["applied", "unchanged", "refused"]

COMMAND_TYPES: Final[Mapping[type[Command], str]] = {
    Purchase: "http.purchase",
    StartPorting: "http.start_porting",
    AssignEndUser: "http.assign_end_user",
    RebuildDid: "job.rebuild",
    **DID_COMMANDS,
}
"""The `type` of the entry for each command."""

HOLD_ENDED: Final = "timer.hold_end"
INVENTORY_ITSELF: Final = "service:inventory"
"""Who acts when a timer of inventory is due."""

FIELDS_OF_EVERY_EVENT: Final = frozenset(EventData.model_fields)
KEPT_WHOLE: Final = (LedgerPosted, MessageRefused, ResultReported)
"""Events that belong to no axis of a view. Their entries keep all their fields."""


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message about a DID: when, who, what changed, and by which event.

    `at` is when the change became true, `recorded_at` when inventory recorded it. `source`, `event_id`,
    `event_sequence` and `causation_id` are those of the event; None for a command. `code` is the code of a refusal:
    of this message, of the purchase, or of the message that another service refused. `extra` holds the fields of
    the event that are in no view: unknown fields, and all fields of an event that belongs to no axis. `claimed_actor`
    is who acted according to an outside source; nobody has verified it.
    """

    did_id: UUID
    number: str
    account: str
    at: datetime
    recorded_at: datetime
    type: str
    source: str | None
    event_id: str | None
    event_sequence: int | None
    causation_id: str | None
    actor: str
    outcome: EntryOutcome
    code: str | None
    changes: Mapping[str, Change]
    extra: Mapping[str, Any]
    claimed_actor: str | None = None


def record(
    message: Event[Any] | Command | None, decision: Decision, did: Any, now: datetime
) -> Iterable[HistoryEntry]:
    """Return the history entries of one message. `did` is the state before the decision.

    A message that came too early gets its entry when it is decided. A rebuild has an entry only if it changes the
    status. Accounts have no history.
    """
    if isinstance(decision, TooEarly):
        return ()
    before = did if isinstance(did, Did) else None
    if isinstance(message, Event):
        return (_entry_of_event(message, decision, before, now),)
    if isinstance(message, RecordedCommand):
        entry = _entry_of_command(message, decision, before, now)
        return () if entry is None else (entry,)
    return () if message is not None or before is None else (_entry_of_timer(decision, before, now),)


def _entry_of_event(
    event: Event[EventData], decision: Decision, before: Did | None, now: datetime
) -> HistoryEntry:
    return HistoryEntry(
        did_id=event.data.did_id,
        number=event.data.number,
        account=before.holding.account if before else event.data.account,
        at=event.time,
        recorded_at=now,
        type=event.type,
        source=event.source,
        event_id=event.id,
        event_sequence=event.sequence,
        causation_id=event.causationid,
        actor=event.actor or _actor_of_source(event),
        outcome=_outcome(decision),
        code=_code(decision) or _reported_code(event.data),
        changes=_changes(before, decision),
        extra=_extra(event),
        claimed_actor=event.claimed_actor,
    )


def _entry_of_timer(decision: Decision, before: Did, at: datetime) -> HistoryEntry:
    """Return the entry of the end of a hold. `at` is the instant at which it was due."""
    return HistoryEntry(
        did_id=before.holding.did_id,
        number=before.holding.number,
        account=before.holding.account,
        at=at,
        recorded_at=at,
        type=HOLD_ENDED,
        source=None,
        event_id=None,
        event_sequence=None,
        causation_id=None,
        actor=INVENTORY_ITSELF,
        outcome=_outcome(decision),
        code=None,
        changes=_changes(before, decision),
        extra={},
    )


def _entry_of_command(
    command: RecordedCommand, decision: Decision, before: Did | None, now: datetime
) -> HistoryEntry | None:
    """Return the entry of a command; None if there is no DID whose history it belongs to."""
    did = _did_of_command(command, decision, before)
    changed = _changes(before, decision)
    if did is None or (isinstance(command, RebuildDid) and not changed):
        return None
    return HistoryEntry(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        at=now,
        recorded_at=now,
        type=COMMAND_TYPES[type(command)],
        source=None,
        event_id=None,
        event_sequence=None,
        causation_id=None,
        actor=command.caller.actor,
        outcome=_outcome(decision),
        code=_code(decision),
        changes=changed,
        extra={},
    )


def _did_of_command(
    command: RecordedCommand, decision: Decision, before: Did | None
) -> Holding | DidAnswer | None:
    """Return the DID whose history a command belongs to. A refused purchase over HTTP belongs to none.

    A command from outside the DID's account belongs to none either: it was refused as if the DID were unknown.
    """
    if isinstance(command, AssignEndUser | DidCommand) and before is not None:
        return before.holding if command.caller.reaches(before.holding.account) else None
    if isinstance(decision, Unchanged) and isinstance(decision.answer, DidAnswer):
        return decision.answer
    after = decision.state if isinstance(decision, Decided) else None
    return after.holding if isinstance(after, Did) else None


def _changes(before: Did | None, decision: Decision) -> Mapping[str, Change]:
    return changes(before, decision.state) if isinstance(decision, Decided) else {}


def _outcome(decision: Decision) -> EntryOutcome:
    if isinstance(decision, Refused):
        return "refused"
    return "applied" if isinstance(decision, Decided) else "unchanged"


def _code(decision: Decision) -> str | None:
    if isinstance(decision, Refused):
        return decision.code
    after = decision.state if isinstance(decision, Decided) else None
    return after.holding.refusal_code if isinstance(after, Did) else None


def _reported_code(data: EventData) -> str | None:
    """Return the code with which another service refused a message, if the event reports such a refusal."""
    return data.code if isinstance(data, MessageRefused) else None


def _actor_of_source(event: Event[EventData]) -> str:
    return f"service:{event.source.removeprefix(OUR_SOURCES)}" if is_from_didflow(event) else event.source


def _extra(event: Event[EventData]) -> Mapping[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(event.raw_data)
    names = _names_in_view(type(event.data))
    if data.keys() <= names:
        return {}
    return {name: value for name, value in data.items() if name not in names}


@cache
def _names_in_view(model: type[EventData]) -> frozenset[str]:
    return FIELDS_OF_EVERY_EVENT if model in KEPT_WHOLE else frozenset(model.model_fields)
