"""The commands that callers send to inventory over HTTP."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events import DidPortingStarted, DidPurchased


@dataclass(frozen=True, kw_only=True)
class Purchase(Command):
    """Purchase a number. `data` is the data of the event that an order system would publish."""

    data: DidPurchased


@dataclass(frozen=True, kw_only=True)
class StartPorting(Command):
    """Start the porting of a number. `data` is the data of the event that an order system would publish."""

    data: DidPortingStarted


@dataclass(frozen=True, kw_only=True)
class AssignEndUser(Command):
    """Assign end-user details to a DID. Verification evaluates them."""

    identity_id: UUID
    address_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RebuildDid(Command):
    """Compute again what is derived of a DID, by the present rules."""
