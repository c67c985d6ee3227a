"""The registration axis. The state is in the field `registration`; never derive it from the topic."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from didflow_contracts.bounds import ITEMS
from didflow_contracts.event_data import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import Flag, LapseReason, Name, Ordinal, Registration, Text


class Reason(Part):
    """One reason: a code for programs, a field for forms and a message for people."""

    code: Name = Field(description="Stable code of the failed check.")
    field: Name | None = Field(
        default=None, description="The field or document group that the reason is about."
    )
    message: Text = Field(default="", description="The reason in words.")


Reasons = Annotated[tuple[Reason, ...], Field(max_length=ITEMS.most)]


class EnduserAssigned(EventData):
    """End-user details were assigned to a DID. The event has only their ids; the details stay in verification."""

    topic: ClassVar[str] = "enduser.assigned"

    identity_id: UUID = Field(description="The assigned identity.")
    address_id: UUID | None = Field(default=None, description="The assigned address; null if none is needed.")
    document_ids: tuple[UUID, ...] = Field(
        default=(), max_length=ITEMS.most, description="The documents that prove the details."
    )
    assigned_at: Instant | None = Field(
        default=None,
        description="When they were assigned. Default: the `time` of the event. An older assignment is ignored.",
    )


class RegistrationAxis(EventData):
    """The whole registration after an event. The highest `sequence` is the current one.

    Source: spec events, Topics.
    """

    registration: Registration = Field(description="The state of the registration after this event.")
    area: Name | None = Field(
        default=None,
        description="The English name of the number's area; null if the numbering plan does not name it.",
    )
    requirement: Name | None = Field(default=None, description="Key of the requirement that applies.")
    requirement_version: Ordinal | None = Field(default=None, description="Version of that requirement.")
    reference: Name | None = Field(default=None, description="Reference of the verification, for people.")
    identity_id: UUID | None = Field(
        default=None,
        description="The identity in force: the approved one, else the last assigned one, else null.",
    )
    address_id: UUID | None = Field(default=None, description="The address in force, by the same rule.")
    verification_id: UUID | None = Field(default=None, description="The verification that this is about.")
    attempt: Ordinal | None = Field(default=None, description="The number of the attempt, from 1.")
    valid_until: Instant | None = Field(
        default=None, description="When the approval ends, if that is known; else null."
    )
    grace_until: Instant | None = Field(
        default=None, description="Until when an expired registration still counts; null if it never expired."
    )
    reasons: Reasons = Field(
        default=(),
        description="Why the registration is in this state: each reason with its code and the code's standard text.",
    )


class VerificationRequired(RegistrationAxis):
    """End-user details must be assigned."""

    topic: ClassVar[str] = "verification.required"


class VerificationNotRequired(RegistrationAxis):
    """No registration is required."""

    topic: ClassVar[str] = "verification.not_required"


class VerificationPending(RegistrationAxis):
    """End-user details were submitted and wait for a reviewer."""

    topic: ClassVar[str] = "verification.pending"


class VerificationApproved(RegistrationAxis):
    """The end-user details satisfy the requirement."""

    topic: ClassVar[str] = "verification.approved"

    automatic: Flag = Field(default=False, description="True if no person decided.")
    rests_on: UUID | None = Field(
        default=None, description="The earlier verification that the automatic approval rests on."
    )


class VerificationRejected(RegistrationAxis):
    """The end-user details do not satisfy the requirement. `reasons` lists why."""

    topic: ClassVar[str] = "verification.rejected"


class VerificationExpiring(RegistrationAxis):
    """An approval ends on a known date."""

    topic: ClassVar[str] = "verification.expiring"

    expires_at: Instant = Field(description="When the approval ends.")
    reason: LapseReason = Field(description="Why the approval ends.")


class VerificationExpired(RegistrationAxis):
    """An approval ended. It may still count until `grace_until`."""

    topic: ClassVar[str] = "verification.expired"

    reason: LapseReason = Field(description="Why the approval ended.")
