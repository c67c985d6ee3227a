"""What people and programs may ask of inventory over HTTP, one class for each wish."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events import DidPurchased


@dataclass(frozen=True, kw_only=True)
class Purchase(Command):
    """Get this number for this account, now. `data` is what an order system would have published."""

    data: DidPurchased


@dataclass(frozen=True, kw_only=True)
class AssignEndUser(Command):
    """Assign end-user details to a DID; verification judges them."""

    identity_id: UUID
    address_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CreateAccount(Command):
    """Make an account at `path`."""

    path: str
    name: str
    default_carrier: str | None = None
    allow_external_numbers: bool = False
