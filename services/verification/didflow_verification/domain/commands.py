"""What can be wished for over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import EndUserType, Service, ServiceState
from didflow_verification.domain.catalogue import CountryRules
from didflow_verification.domain.identity import Person, Place
from didflow_verification.domain.service_request import ServiceData


@dataclass(frozen=True, kw_only=True)
class CreateIdentity(Command):
    """A new identity `entity_id` of an account."""

    account: str
    type: EndUserType
    person: Person


@dataclass(frozen=True, kw_only=True)
class CreateAddress(Command):
    """A new address `entity_id` of an identity."""

    identity_id: UUID
    place: Place


@dataclass(frozen=True, kw_only=True)
class Approve(Command):
    """Approve an attempt of the DID `entity_id`."""

    verification_id: UUID


@dataclass(frozen=True, kw_only=True)
class Reject(Command):
    """Reject an attempt of the DID `entity_id`, for at least one coded reason."""

    verification_id: UUID
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class Resubmit(Command):
    """Submit again after the rejected attempt `verification_id` of the DID `entity_id`, with these details."""

    verification_id: UUID
    identity_id: UUID
    address_id: UUID | None
    document_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Revoke(Command):
    """Take back the approval of an attempt of the DID `entity_id`, with all that rests on it."""

    verification_id: UUID
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RequestService(Command):
    """A service for the DID `entity_id`, under `request_id`."""

    request_id: UUID
    service: Service
    data: ServiceData


@dataclass(frozen=True, kw_only=True)
class DecideService(Command):
    """Move a request of the DID `entity_id` on to a state."""

    request_id: UUID
    state: ServiceState
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CancelService(Command):
    """Cancel a request of the DID `entity_id`, or the service that came of it."""

    request_id: UUID


@dataclass(frozen=True, kw_only=True)
class LoadRules(Command):
    """Other rules for the country `entity_id`; `change_id` names this load."""

    change_id: UUID
    rules: CountryRules


@dataclass(frozen=True, kw_only=True)
class Claim(Command):
    """Keep the attempt `entity_id` for the caller for a while."""


@dataclass(frozen=True, kw_only=True)
class Release(Command):
    """Give the attempt `entity_id` back to the queue."""


@dataclass(frozen=True, kw_only=True)
class ChangeIdentity(Command):
    """Other values for fields of the identity `entity_id`, by name; a value of None clears the field."""

    type: EndUserType | None
    changes: Mapping[str, str | date | None]


@dataclass(frozen=True, kw_only=True)
class ChangeAddress(Command):
    """Other values for fields of the address `entity_id`, by name."""

    changes: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class EraseIdentity(Command):
    """Forget what the identity `entity_id` states, with its addresses and documents."""


@dataclass(frozen=True, kw_only=True)
class EraseAddress(Command):
    """Forget what the address `entity_id` states."""


@dataclass(frozen=True, kw_only=True)
class EraseDocument(Command):
    """Forget what the document `entity_id` states, and its bytes."""


@dataclass(frozen=True, kw_only=True)
class EnterDocument(Command):
    """A new document `entity_id` of an identity, whose bytes lie under `content_id` already."""

    identity_id: UUID
    kind: str
    media_type: str
    size: int
    content_id: UUID
    issued_on: date | None
    expires_on: date | None
    states: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class MoveContent(Command):
    """The bytes of the document `entity_id` lie under `content_id` from now on, no longer under `former`."""

    former: UUID
    content_id: UUID
