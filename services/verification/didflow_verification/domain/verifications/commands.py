"""What can be wished for about attempts."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events.registration import Reason


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
class Claim(Command):
    """Keep the attempt `entity_id` for the caller for a while."""


@dataclass(frozen=True, kw_only=True)
class Release(Command):
    """Give the attempt `entity_id` back to the queue."""


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
