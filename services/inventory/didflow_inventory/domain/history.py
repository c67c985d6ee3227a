"""A number's story: one row for every message about a DID, whatever came of it. Rows are never changed.

Applying the `after` of all changes of a DID, in order, gives the DID as it stands.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from didflow_chassis.decision import Command, Decided, Decision, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import LedgerPosted, MessageRefused, ResultReported
from didflow_inventory.domain.changes import Change, changes
from didflow_inventory.domain.commands import AssignEndUser, Purchase
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.showing import DidShown
from didflow_inventory.domain.sources import OURS, Said

Came = Literal["applied", "unchanged", "refused"]

TYPES: Final[Mapping[type[Command], str]] = {
    Purchase: "http.purchase",
    AssignEndUser: "http.assign_end_user",
}
"""How the wishes that came over HTTP are called in the history."""

OF_EVERY_EVENT: Final = frozenset(EventData.model_fields)
KEPT_WHOLE: Final = (LedgerPosted, MessageRefused, ResultReported)
"""Events that belong to no axis of the view: all that they say is kept."""


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a DID's story: when, who, what, and because of which event.

    `at` is when it became true, `recorded_at` when inventory took it. `source`, `event_id`, `event_sequence` and
    `causation_id` are the event's; null for what came over HTTP. `code` is the refusal's. `extra` keeps
    the fields of the event that this version does not know, and what is of no axis.
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
    outcome: Came
    code: str | None
    changes: Mapping[str, Change]
    extra: Mapping[str, Any]


def record(
    message: Said | Command | None, outcome: Decision, did: Any, now: datetime
) -> Iterable[HistoryEntry]:
    """Write the story of one message. What waits is told when it is decided; what is no DID has no story.

    `did` is the state before the decision.
    """
    if isinstance(outcome, TooEarly):
        return ()
    before = did if isinstance(did, Did) else None
    if isinstance(message, Event):
        return (_of_event(message, outcome, before, now),)
    if isinstance(message, Purchase | AssignEndUser):
        told = _of_command(message, outcome, before, now)
        return () if told is None else (told,)
    return ()


def _of_event(event: Said, outcome: Decision, before: Did | None, now: datetime) -> HistoryEntry:
    holder = before.account if before else event.data.account
    return HistoryEntry(
        did_id=event.data.did_id,
        number=event.data.number,
        account=holder,
        at=event.time,
        recorded_at=now,
        type=event.type,
        source=event.source,
        event_id=event.id,
        event_sequence=event.sequence,
        causation_id=event.causationid,
        actor=event.actor or _speaker(event.source),
        outcome=_came(outcome),
        code=_code(outcome),
        changes=_changes(before, outcome),
        extra=_extra(event),
    )


def _of_command(
    command: Purchase | AssignEndUser, outcome: Decision, before: Did | None, now: datetime
) -> HistoryEntry | None:
    """Tell what came over HTTP, once there is a DID for it to be the story of."""
    whose = _whose(command, outcome, before)
    if whose is None:
        return None
    return HistoryEntry(
        did_id=whose.did_id,
        number=whose.number,
        account=whose.account,
        at=now,
        recorded_at=now,
        type=TYPES[type(command)],
        source=None,
        event_id=None,
        event_sequence=None,
        causation_id=None,
        actor=f"user:{command.caller.subject}",
        outcome=_came(outcome),
        code=_code(outcome),
        changes=_changes(before, outcome),
        extra={},
    )


def _whose(command: Purchase | AssignEndUser, outcome: Decision, before: Did | None) -> Did | DidShown | None:
    """Find the DID that a wish is the story of; a purchase that is refused here is nobody's."""
    if isinstance(command, AssignEndUser):
        return before
    if isinstance(outcome, Unchanged) and isinstance(outcome.answer, DidShown):
        return outcome.answer
    return outcome.state if isinstance(outcome, Decided) else None


def _changes(before: Did | None, outcome: Decision) -> Mapping[str, Change]:
    return changes(before, outcome.state) if isinstance(outcome, Decided) else {}


def _came(outcome: Decision) -> Came:
    if isinstance(outcome, Refused):
        return "refused"
    return "applied" if isinstance(outcome, Decided) else "unchanged"


def _code(outcome: Decision) -> str | None:
    if isinstance(outcome, Refused):
        return outcome.code
    after = outcome.state if isinstance(outcome, Decided) else None
    return after.refusal if isinstance(after, Did) else None


def _speaker(source: str) -> str:
    return f"service:{source.removeprefix(OURS)}" if source.startswith(OURS) else source


def _extra(event: Said) -> Mapping[str, Any]:
    """Keep what the view does not: unknown fields, and the whole of what belongs to no axis."""
    data: dict[str, Any] = msgspec.json.decode(event.raw_data)
    known = _known(type(event.data))
    if data.keys() <= known:
        return {}
    return {name: value for name, value in data.items() if name not in known}


@cache
def _known(model: type[EventData]) -> frozenset[str]:
    return OF_EVERY_EVENT if model in KEPT_WHOLE else frozenset(model.model_fields)
