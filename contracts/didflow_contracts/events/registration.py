"""The registration axis. `registration` is the truth of each event, never the name of its topic."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from didflow_contracts.event import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import Flag, LapseReason, Name, Ordinal, Registration


class Reason(Part):
    """One coded reason: the code for programs, the field for forms, the message for people."""

    code: Name = Field(description="Stable code of the failed check.")
    field: str | None = Field(default=None, description="The field or document group that it is about.")
    message: str = Field(default="", description="The same for people.")


class EnduserAssigned(EventData):
    """End-user details were assigned to a DID. Only ids travel; the details stay with verification."""

    topic: ClassVar[str] = "enduser.assigned"

    identity_id: UUID = Field(description="The identity assigned.")
    address_id: UUID | None = Field(default=None, description="The address; null where none is needed.")
    document_ids: tuple[UUID, ...] = Field(default=(), description="Documents given as proof.")
    assigned_at: Instant | None = Field(
        default=None, description="When they were assigned; the event's `time` if absent. Older ones lose."
    )


class RegistrationAxis(EventData):
    """The whole registration after an event; the highest `sequence` wins. Source: spec events, Topics."""

    registration: Registration = Field(description="The state of the registration after this event.")
    requirement: Name | None = Field(default=None, description="Key of the requirement that applies.")
    requirement_version: Ordinal | None = Field(default=None, description="Version of that requirement.")
    reference: str | None = Field(default=None, description="Reference of the verification, for people.")
    identity_id: UUID | None = Field(
        default=None, description="Identity in force: the approved one, else the last assigned, else null."
    )
    address_id: UUID | None = Field(default=None, description="Address in force, by the same rule.")
    verification_id: UUID | None = Field(default=None, description="The verification this is about.")
    attempt: Ordinal | None = Field(default=None, description="Which submission of details it is, from 1.")
    valid_until: Instant | None = Field(default=None, description="Known end of an approval, else null.")
    grace_until: Instant | None = Field(
        default=None, description="Until when a lapsed registration still counts; null if it never lapsed."
    )
    reasons: tuple[Reason, ...] = Field(default=(), description="Why it is as it is, each with a code.")


class VerificationRequired(RegistrationAxis):
    """Details must be assigned."""

    topic: ClassVar[str] = "verification.required"


class VerificationNotRequired(RegistrationAxis):
    """No registration is asked for."""

    topic: ClassVar[str] = "verification.not_required"


class VerificationPending(RegistrationAxis):
    """Details were submitted and wait for a reviewer."""

    topic: ClassVar[str] = "verification.pending"


class VerificationApproved(RegistrationAxis):
    """Details satisfy the requirement."""

    topic: ClassVar[str] = "verification.approved"

    automatic: Flag = Field(default=False, description="Approved without a person.")
    rests_on: UUID | None = Field(default=None, description="The verification an automatic one rests on.")


class VerificationRejected(RegistrationAxis):
    """Details do not satisfy the requirement; `reasons` says why."""

    topic: ClassVar[str] = "verification.rejected"


class VerificationExpiring(RegistrationAxis):
    """An approval will end on a known date."""

    topic: ClassVar[str] = "verification.expiring"

    expires_at: Instant = Field(description="When the approval ends.")
    reason: LapseReason = Field(description="Why it will end.")


class VerificationExpired(RegistrationAxis):
    """An approval ended; it may still count until `grace_until`."""

    topic: ClassVar[str] = "verification.expired"

    reason: LapseReason = Field(description="Why it ended.")
