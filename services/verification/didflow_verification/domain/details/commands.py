"""What can be wished for about what end users state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.details.identity import Person, Place


@dataclass(frozen=True, kw_only=True)
class CreateIdentity(Command):
    """A new identity `entity_id` of an account."""

    account: str
    type: EndUserType
    person: Person


@dataclass(frozen=True, kw_only=True)
class ChangeIdentity(Command):
    """Other values for fields of the identity `entity_id`, by name; a value of None clears the field."""

    type: EndUserType | None
    changes: Mapping[str, str | date | None]


@dataclass(frozen=True, kw_only=True)
class EraseIdentity(Command):
    """Forget what the identity `entity_id` states, with its addresses and documents."""


@dataclass(frozen=True, kw_only=True)
class CreateAddress(Command):
    """A new address `entity_id` of an identity."""

    identity_id: UUID
    place: Place


@dataclass(frozen=True, kw_only=True)
class ChangeAddress(Command):
    """Other values for fields of the address `entity_id`, by name."""

    changes: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class EraseAddress(Command):
    """Forget what the address `entity_id` states."""


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


@dataclass(frozen=True, kw_only=True)
class EraseDocument(Command):
    """Forget what the document `entity_id` states, and its bytes."""
