"""The registration of a DID: its axis, the details in force, and the events that say so.

Every change of the axis goes through `moved`, so nothing leaves the closed table; an ended DID never moves.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_contracts.accounts import is_within
from didflow_contracts.events import (
    VerificationApproved,
    VerificationExpired,
    VerificationNotRequired,
    VerificationPending,
    VerificationRejected,
    VerificationRequired,
)
from didflow_contracts.events.registration import Reason, RegistrationAxis
from didflow_contracts.vocabulary import AdditionalService, EndUserType, Feature, NumberType
from didflow_contracts.vocabulary import Registration as Axis
from didflow_verification.domain.axes.forbidden import ForbiddenTransitionError
from didflow_verification.domain.axes.lapse import Lapse

Ended: TypeAlias = Literal["removed", "refused"]

TRANSITIONS: Final[Mapping[Axis | None, frozenset[Axis]]] = MappingProxyType(
    {
        None: frozenset({"not_required", "awaiting"}),
        "not_required": frozenset({"awaiting"}),
        "awaiting": frozenset({"pending", "approved", "rejected", "not_required"}),
        "pending": frozenset({"approved", "rejected", "pending", "awaiting"}),
        "approved": frozenset({"expired", "awaiting"}),
        "rejected": frozenset({"pending", "approved", "rejected", "awaiting"}),
        "expired": frozenset({"pending", "approved", "rejected", "awaiting"}),
    }
)
"""Where the axis may go from each state; None is before the start. Source: spec lifecycle, The axes."""


class Details(Struct, frozen=True, kw_only=True):
    """End-user details as they were assigned to a DID, and the verification that judged them, if one did.

    `holder` is the account that held the DID when they were assigned, at `assigned_at`. `judged_on` is the day
    (UTC) whose requirements they were judged by, `valid_until` the end of their papers.
    """

    holder: str
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
        """Whether the identity served the holder."""
        return self.identity_account is not None and is_within(self.holder, self.identity_account)

    def same_as(self, other: "Details | None") -> bool:
        """Whether these are the same details in the same revisions, as much or as little the holder's."""
        return other is not None and _content(self) == _content(other)

    def left_by(self, holder: "Holder") -> bool:
        """Whether a holder that got the DID after they were assigned is one that the identity does not serve."""
        if holder.since is None or holder.since <= self.assigned_at:
            return False
        return self.identity_account is None or not is_within(holder.account, self.identity_account)


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds the DID from an instant on; None: from its purchase."""

    account: str
    since: datetime | None


class Registration(Struct, frozen=True, kw_only=True):
    """The registration axis of one DID.

    `requirement` is what applies (before details are assigned: to the end user named in the order).
    `approved` are the details in force once some were approved; `assigned` the last ones assigned, which may
    be judged still (`open`). `attempt` counts submissions. `ended` freezes all. `grace_until`: until when a
    lapsed registration still counts. `seen` has the last sequence applied of the holding, by source. `lapse` is
    the known end of what is approved; at `due_at` the clock looks at the registration (see `lapsing`).
    `features` is what the number can do, as far as it was heard; `services` has the open request of each service.
    """

    did_id: UUID
    number: str
    country: str
    number_type: NumberType
    end_user_type: EndUserType | None
    account: str
    holders: tuple[Holder, ...]
    state: Axis
    requirement: str
    requirement_version: int
    approved: Details | None = None
    assigned: Details | None = None
    open: bool = False
    attempt: int = 0
    reasons: tuple[Reason, ...] = ()
    assigned_at: datetime | None = None
    grace_until: datetime | None = None
    started_at: datetime
    ended: Ended | None = None
    seen: Mapping[str, int] = field(default_factory=dict)
    lapse: Lapse | None = None
    due_at: datetime | None = None
    features: tuple[Feature, ...] | None = None
    services: Mapping[AdditionalService, UUID] = field(default_factory=dict)

    @property
    def in_force(self) -> Details | None:
        """The approved details, or, while none are approved, the last assigned."""
        return self.approved or self.assigned

    def holder_at(self, instant: datetime) -> str:
        """Return the account that held the DID at an instant."""
        held = [h.account for h in self.holders if h.since is None or h.since <= instant]
        return held[-1]


def moved(registration: Registration, state: Axis, **changes: Any) -> Registration:
    """Return the registration in another state. Raises ForbiddenTransitionError."""
    if registration.ended or state not in TRANSITIONS[registration.state]:
        raise ForbiddenTransitionError(f"registration {registration.ended or registration.state} -> {state}")
    return replace(registration, state=state, **changes)


def said(
    registration: Registration,
    event: type[RegistrationAxis],
    about: Details | None = None,
    **more: object,
) -> RegistrationAxis:
    """Build the event that tells the axis whole; `about` is the submission it is about, if there is one.

    `more` is what this event alone says. Source: spec events, Topics: `registration` is the truth, whatever
    the topic's name.
    """
    if about is not None and issubclass(event, VerificationApproved):
        more = {"automatic": about.automatic, "rests_on": about.rests_on}
    return event(**_whole(registration, about) | more)


def _whole(registration: Registration, about: Details | None) -> dict[str, Any]:
    force, judged = registration.in_force, about or registration.in_force
    requirement, version = registration.requirement, registration.requirement_version
    if judged and judged.requirement and judged.requirement_version:
        requirement, version = judged.requirement, judged.requirement_version
    return {
        "did_id": registration.did_id,
        "number": registration.number,
        "account": registration.account,
        "registration": registration.state,
        "requirement": requirement,
        "requirement_version": version,
        "reference": judged.reference if judged else None,
        "identity_id": force.identity_id if force else None,
        "address_id": force.address_id if force else None,
        "verification_id": judged.verification_id if judged else None,
        "attempt": judged.attempt if judged else None,
        "valid_until": _valid_until(registration),
        "grace_until": registration.grace_until,
        "reasons": registration.reasons,
    }


def _valid_until(registration: Registration) -> datetime | None:
    """Return the known end of what is approved: of its papers, or of its requirement where that comes first."""
    if registration.approved is None:
        return None
    lapse = registration.lapse if registration.state == "approved" else None
    return lapse.at if lapse else registration.approved.valid_until


EVENT_OF: Final[Mapping[Axis, type[RegistrationAxis]]] = MappingProxyType(
    {
        "not_required": VerificationNotRequired,
        "awaiting": VerificationRequired,
        "pending": VerificationPending,
        "approved": VerificationApproved,
        "rejected": VerificationRejected,
        "expired": VerificationExpired,
    }
)
"""The event that a state is first told by."""


def _content(details: Details) -> tuple[object, ...]:
    return (
        details.owned,
        details.identity_id,
        details.identity_revision,
        details.address_id,
        details.address_revision,
        details.document_ids,
    )
