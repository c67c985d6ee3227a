"""The commands of verification: every change that a caller requests over HTTP or on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, EndUserType, ServiceState
from didflow_verification.domain.axes.service_request import ServiceData
from didflow_verification.domain.details.identity import Person, Place
from didflow_verification.domain.requirements import CountryRules


@dataclass(frozen=True, kw_only=True)
class CreateIdentity(Command):
    """Create the identity `entity_id` in an account."""

    account: str
    type: EndUserType
    person: Person


@dataclass(frozen=True, kw_only=True)
class ChangeIdentity(Command):
    """Change fields of the identity `entity_id`, by name. The value None clears a field.

    `has_key` says whether this process can encrypt the former revision, which is kept if a verification judged it.
    """

    type: EndUserType | None
    changes: Mapping[str, str | date | None]
    has_key: bool = True


@dataclass(frozen=True, kw_only=True)
class EraseIdentity(Command):
    """Erase the personal data of the identity `entity_id`, its addresses and its documents."""


@dataclass(frozen=True, kw_only=True)
class BeginErasure(Command):
    """Hide the identity `entity_id`, its addresses and its documents from everybody. Their values are kept."""


@dataclass(frozen=True, kw_only=True)
class CompleteErasure(Command):
    """Remove the values of the identity `entity_id`, which is hidden, of its addresses and of its documents."""


@dataclass(frozen=True, kw_only=True)
class EraseReviewerTexts(Command):
    """Replace the texts of reviewers about an identity, for the DID `entity_id`, by those of their codes.

    The ids are those of all verifications and service requests of the DID that name the identity.
    """

    identity_id: UUID
    verification_ids: tuple[UUID, ...]
    request_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class CreateAddress(Command):
    """Create the address `entity_id` of an identity."""

    identity_id: UUID
    place: Place


@dataclass(frozen=True, kw_only=True)
class ChangeAddress(Command):
    """Change fields of the address `entity_id`, by name. `has_key`: see `ChangeIdentity`."""

    changes: Mapping[str, str]
    has_key: bool = True


@dataclass(frozen=True, kw_only=True)
class EraseAddress(Command):
    """Erase the personal data of the address `entity_id`."""


@dataclass(frozen=True, kw_only=True)
class CreateDocument(Command):
    """Create the document `entity_id` of an identity. Its bytes are already stored under `content_id`."""

    identity_id: UUID
    kind: str
    media_type: str
    size: int
    sha256: str
    content_id: UUID
    issued_on: date | None
    expires_on: date | None
    states: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class MoveContent(Command):
    """Replace the content `former` of the document `entity_id` with the content `content_id`."""

    former: UUID
    content_id: UUID


@dataclass(frozen=True, kw_only=True)
class EraseDocument(Command):
    """Erase the personal data and the bytes of the document `entity_id`."""


@dataclass(frozen=True, kw_only=True)
class Approve(Command):
    """Approve a verification of the DID `entity_id`."""

    verification_id: UUID


@dataclass(frozen=True, kw_only=True)
class ApproveCovered(Command):
    """Approve the pending verification of the DID `entity_id` if an approval covers it. An item of a job.

    `approved_id` is the approved verification, and `approved_number` its number.
    """

    approved_id: UUID
    approved_number: str


@dataclass(frozen=True, kw_only=True)
class Reject(Command):
    """Reject a verification of the DID `entity_id`, with at least one coded reason."""

    verification_id: UUID
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class Revoke(Command):
    """Revoke an approved verification of the DID `entity_id`.

    The review that it rests on is revoked too, with everything that rests on the review, unless `only_this` is set.
    """

    verification_id: UUID
    reasons: tuple[Reason, ...] = ()
    only_this: bool = False


@dataclass(frozen=True, kw_only=True)
class Claim(Command):
    """Claim the verification `entity_id` for the caller."""


@dataclass(frozen=True, kw_only=True)
class Release(Command):
    """Release the caller's claim of the verification `entity_id`."""


@dataclass(frozen=True, kw_only=True)
class Resubmit(Command):
    """Submit these details for the DID `entity_id` after its verification `verification_id` was rejected."""

    verification_id: UUID
    identity_id: UUID
    address_id: UUID | None
    document_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RequestService(Command):
    """Request an additional service for the DID `entity_id`, under the id `request_id`."""

    request_id: UUID
    service: AdditionalService
    data: ServiceData


@dataclass(frozen=True, kw_only=True)
class CorrectService(Command):
    """Send a service request of the DID `entity_id` again, with changed fields of its data by name."""

    request_id: UUID
    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DecideService(Command):
    """Move a service request of the DID `entity_id` to another state."""

    request_id: UUID
    state: ServiceState
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CancelService(Command):
    """Cancel a service request of the DID `entity_id`, or the active service."""

    request_id: UUID


@dataclass(frozen=True, kw_only=True)
class LoadRules(Command):
    """Replace the rules of the country `entity_id`. `change_id` is the id of this load."""

    change_id: UUID
    rules: CountryRules


@dataclass(frozen=True, kw_only=True)
class RecheckDid(Command):
    """Plan the DID `entity_id` of a country again, by the catalogue as it is now. An item of a job."""

    country: str


@dataclass(frozen=True, kw_only=True)
class RevokeResting(Command):
    """End the approval of the DID `entity_id` if it is the revoked verification or rests on it. An item of a job."""

    revoked: UUID


@dataclass(frozen=True, kw_only=True)
class ReassessDid(Command):
    """Submit the details of the DID `entity_id` again if they have newer revisions. An item of a job."""
