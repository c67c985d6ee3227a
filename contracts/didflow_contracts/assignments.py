"""Which assignments of end-user details count: one rule for every service that receives `enduser.assigned`.

The rule depends on the event and on the life of the DID, never on the order of arrival or on the time of a service.
So all services accept the same assignments, and the same one is the last.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec import Struct

from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_contracts.ownership import Holder, holder_named, is_from_didflow

TICK: Final = timedelta(microseconds=1)


class Assignment(Struct, frozen=True, kw_only=True):
    """End-user details that were assigned to a DID, by their ids. `time` is that of the event."""

    identity_id: UUID
    address_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()
    assigned_at: datetime
    time: datetime

    @property
    def details(self) -> tuple[UUID, UUID | None, frozenset[UUID]]:
        """The details alone. The order of the documents does not matter."""
        return self.identity_id, self.address_id, frozenset(self.document_ids)

    @property
    def rank(self) -> tuple[datetime, datetime, tuple[str, ...]]:
        """Of two assignments to a DID, the one with the higher rank is the later one.

        The ids only make the order of different details of one instant the same for all services.
        """
        ids = (self.identity_id, self.address_id, *sorted(self.document_ids))
        return self.assigned_at, self.time, tuple(map(str, ids))

    def repeats(self, other: "Assignment | None") -> bool:
        """Return True if both assign the same details at the same instant."""
        return other is not None and (self.details, self.assigned_at) == (other.details, other.assigned_at)


class AssignmentRefused(NamedTuple):
    """Why an assignment does not count: a stable code, a text, and the field that it is about."""

    code: str
    message: str
    field: str | None = None


class AssignmentAccepted(NamedTuple):
    """An assignment that counts, and the account that the details are for. `again`: the last details once more."""

    assignment: Assignment
    holder: str
    again: bool


DID_ID_TAKEN: Final = AssignmentRefused(
    "did_id_taken", "This did_id belongs to a DID with another number.", "did_id"
)
DID_ENDED: Final = AssignmentRefused("did_ended", "This DID was removed or refused.", "did_id")
NOT_YOURS: Final = AssignmentRefused("not_yours", "The DID belongs to another account.", "account")
OUTDATED: Final = AssignmentRefused(
    "outdated", "Later details have been assigned to this DID.", "assigned_at"
)
REFUSALS: Final = (DID_ID_TAKEN, DID_ENDED, NOT_YOURS, OUTDATED)
"""Every refusal of an assignment by this rule."""


def judge_assignment(
    event: Event[EnduserAssigned],
    *,
    number: str,
    ended: bool,
    holders: Sequence[Holder],
    last: Assignment | None,
) -> AssignmentAccepted | AssignmentRefused:
    """Judge an event about a DID with this number and these holders. `last` is its last assignment so far.

    Verification alone decides whether the identity serves the account. An equal repeat of the last assignment is
    accepted with the higher rank of both. Source: spec lifecycle, Registration: Older `assigned_at`.
    """
    if event.data.number != number:
        return DID_ID_TAKEN
    if ended:
        return DID_ENDED
    assignment = assignment_of(event)
    holder = holder_for(event, assignment.assigned_at, holders)
    if holder is None:
        return NOT_YOURS
    if last is not None and assignment.repeats(last):
        return AssignmentAccepted(max(last, assignment, key=lambda each: each.rank), holder, again=True)
    if last is not None and assignment.rank < last.rank:
        return OUTDATED
    return AssignmentAccepted(
        assignment, holder, again=last is not None and assignment.details == last.details
    )


def assignment_of(event: Event[EnduserAssigned]) -> Assignment:
    """Return the assignment of an event. If the event is from outside, it is not later than the time of the event."""
    data, at = event.data, event.data.assigned_at or event.time
    return Assignment(
        identity_id=data.identity_id,
        address_id=data.address_id,
        document_ids=data.document_ids,
        assigned_at=at if is_from_didflow(event) else min(at, event.time),
        time=event.time,
    )


def holder_for(event: Event[Any], at: datetime, holders: Sequence[Holder]) -> str | None:
    """Return the account that details assigned at an instant are for; None if the event contradicts the owner.

    Inventory knows the account. An outside source must name the account that held the DID at that instant, or the one
    that holds it now, or an account above it.
    """
    account: str = event.data.account
    return account if is_from_didflow(event) else holder_named(account, at, holders)


def after(last: Assignment | None, now: datetime) -> datetime:
    """Return the instant of an assignment that is made now: later than the last one, whatever its source said."""
    return now if last is None or last.assigned_at < now else last.assigned_at + TICK
