"""The registration of a DID: the state of its axis, and the end-user details that it rests on.

Every change of the axis uses `moved_to`, so the axis never leaves its closed table. An ended registration never moves.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_chassis.decision import Refused
from didflow_contracts.accounts import is_within
from didflow_contracts.assignments import Assignment
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events.registration import Reason
from didflow_contracts.ownership import Holder, contradicts_owner, holder_at, holder_named
from didflow_contracts.vocabulary import (
    AdditionalService,
    DidStock,
    EndUserType,
    Feature,
    LapseReason,
    NumberType,
)
from didflow_contracts.vocabulary import Registration as RegistrationState
from didflow_verification.domain.axes.transitions import REGISTRATION, ForbiddenTransitionError

Ended: TypeAlias = Literal["removed", "refused"]


KEEPS_ENDED_APPROVAL: Final[frozenset[RegistrationState]] = frozenset(("pending", "rejected", "expired"))
"""The states in which it still matters which approval ended: the review that it rests on can be revoked later."""


class Details(Struct, frozen=True, kw_only=True):
    """End-user details that were assigned to a DID, and the verification that judged them, if there is one.

    `holder` is the account that held the DID when they were assigned, at `assigned_at`. `judged_on` is the UTC day
    whose requirements they were judged by. `valid_until` is the end of their documents. `named` is the account that an
    outside source assigned them for: what is known of the holders when its event arrives may be incomplete.
    """

    holder: str
    named: str | None = None
    assigned_at: datetime
    identity_id: UUID
    identity_account: str | None
    identity_revision: int | None
    end_user_type: EndUserType | None = None
    address_id: UUID | None
    address_revision: int | None
    document_ids: tuple[UUID, ...] = ()
    judged_on: date | None = None
    requirement: str | None = None
    requirement_version: int | None = None
    verification_id: UUID | None = None
    reference: str | None = None
    attempt: int | None = None
    valid_until: datetime | None = None
    automatic: bool = False
    rests_on: UUID | None = None

    @property
    def owned(self) -> bool:
        """Return True if the identity serves the account that held the DID."""
        return self._serves(self.holder)

    def same_as(self, other: "Details | None") -> bool:
        """Return True if both are the same details in the same revisions, and both or neither are owned."""
        return other is not None and _content(self) == _content(other)

    def left_by(self, holder: Holder) -> bool:
        """Return True if this holder got the DID after the assignment and the identity does not serve it."""
        if holder.since is None or holder.since <= self.assigned_at:
            return False
        return not self._serves(holder.account)

    def of_another(self, holders: Sequence[Holder]) -> bool:
        """Return True if an outside source assigned them and a holder that became known since makes that wrong.

        The account that it named did not hold the DID, or the identity does not serve the one that did.
        """
        if self.named is None:
            return False
        holder = holder_named(self.named, self.assigned_at, holders)
        return holder is None or (holder != self.holder and not self._serves(holder))

    def _serves(self, account: str) -> bool:
        return self.identity_account is not None and is_within(account, self.identity_account)


class Lapse(Struct, frozen=True, kw_only=True):
    """The known end of an approval. The approval still counts until `grace_until`.

    `warned` is set when `verification.expiring` was published.
    """

    at: datetime
    reason: LapseReason
    grace_until: datetime
    warned: bool = False

    def same_as(self, other: "Lapse | None") -> bool:
        """Return True if both are the same end, for the same reason."""
        return other is not None and (self.at, self.reason) == (other.at, other.reason)


def revocation_lapse(at: datetime) -> Lapse:
    """Return the end of a revoked approval: at once, without grace."""
    return Lapse(at=at, reason="revoked", grace_until=at)


class RevokedDetails(Struct, frozen=True, kw_only=True):
    """An identity and an address whose approval for the DID was revoked. A person must judge them again."""

    identity_id: UUID
    address_id: UUID | None


class Registration(Struct, frozen=True, kw_only=True):
    """The registration axis of one DID.

    `requirement` is the row that applies. Until details are assigned, it is the row of the end-user type that the
    purchase named. `approved` are the details in force, if any were approved. `assigned` are the details that were
    assigned last; while `open` is set, they are not decided. `last_assignment` is the latest one that counted, also if
    its details were removed or refused since. `attempt` counts the verifications. `grace_until`: until then a lapsed
    registration still counts. `lapse` is the known end of the approval. `due_at` is the instant of the
    timer (see `lapse.planned`). `sequences` are the last applied sequences. `stock` and `features` are None until
    inventory has published them; a porting starts with its stock. `services` has the open request of each additional
    service. `revoked` are details whose approval was revoked and that no person has approved since. `ended_approval`
    are the details whose approval ended by its date, until details are approved again or leave the DID. If `ended` is
    set, nothing changes.
    """

    did_id: UUID
    number: str
    country: str
    number_type: NumberType
    end_user_type: EndUserType | None
    account: str
    holders: tuple[Holder, ...]
    state: RegistrationState
    requirement: str
    requirement_version: int
    approved: Details | None = None
    assigned: Details | None = None
    open: bool = False
    attempt: int = 0
    reasons: tuple[Reason, ...] = ()
    last_assignment: Assignment | None = None
    grace_until: datetime | None = None
    started_at: datetime
    ended: Ended | None = None
    stock: DidStock | None = None
    sequences: Mapping[str, int] = field(default_factory=dict)
    lapse: Lapse | None = None
    due_at: datetime | None = None
    features: tuple[Feature, ...] | None = None
    services: Mapping[AdditionalService, UUID] = field(default_factory=dict)
    revoked: tuple[RevokedDetails, ...] = ()
    ended_approval: Details | None = None

    @property
    def in_force(self) -> Details | None:
        """Return the approved details. If there are none, return the details assigned last."""
        return self.approved or self.assigned

    @property
    def in_effect(self) -> Details | None:
        """Return the details that services follow: the approved ones, or the assigned ones if none are required."""
        return self.assigned if self.state == "not_required" else self.approved

    @property
    def open_verification_id(self) -> UUID | None:
        """Return the id of the verification that is not decided yet, or None."""
        return self.assigned.verification_id if self.open and self.assigned else None

    def holder_at(self, instant: datetime) -> str:
        """Return the account that held the DID at an instant."""
        return holder_at(self.holders, instant)

    def moved_to(self, state: RegistrationState, **changes: Any) -> "Registration":
        """Return the registration in another state. Raises ForbiddenTransitionError."""
        if self.ended or state not in REGISTRATION[self.state]:
            raise ForbiddenTransitionError(f"registration {self.ended or self.state} -> {state}")
        kept = {} if state in KEEPS_ENDED_APPROVAL else {"ended_approval": None}
        return replace(self, **{"state": state, **kept, **changes})


def event_refusal(registration: Registration, event: Event[EventData]) -> Refused | None:
    """Return the refusal of an event that is not about this DID, or None.

    `did_id_taken`: the event has another number. `not_yours`: the event contradicts the holder of the DID, and the
    holder at the time of the event. The second holder makes the result independent of the order of arrival.
    """
    if event.data.number != registration.number:
        return Refused("did_id_taken", "This did_id belongs to a DID with another number.", "did_id")
    holders = {registration.account, registration.holder_at(event.time)}
    if all(contradicts_owner(event, holder) for holder in holders):
        return Refused("not_yours", "The DID belongs to another account.", "account")
    return None


def _content(details: Details) -> tuple[object, ...]:
    return (
        details.owned,
        details.identity_id,
        details.identity_revision,
        details.address_id,
        details.address_revision,
        frozenset(details.document_ids),
    )
