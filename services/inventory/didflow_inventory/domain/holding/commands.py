"""The commands about one DID that callers send over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from didflow_chassis.decision import Command
from didflow_contracts.vocabulary import AfterHold, Features


class Edits(Struct, frozen=True, kw_only=True):
    """The fields of a DID that an edit sets. A field that is not given stays as it is.

    `after_hold` is what comes after the present hold, and after each hold that does not say it.
    """

    description: str | UnsetType | None = UNSET
    notes: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    features: Features | UnsetType = UNSET
    carrier: str | UnsetType | None = UNSET
    sms_carrier: str | UnsetType | None = UNSET
    after_hold: AfterHold | UnsetType | None = UNSET
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DidCommand(Command):
    """A change of one DID."""


@dataclass(frozen=True, kw_only=True)
class EditDid(DidCommand):
    """Edit the fields of a DID."""

    edits: Edits


@dataclass(frozen=True, kw_only=True)
class AssignAccount(DidCommand):
    """Hand a DID down to an account below the caller's."""

    account: str


@dataclass(frozen=True, kw_only=True)
class AssignUser(DidCommand):
    """Assign a DID to a user of its holder; None to unassign it."""

    user_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class TakeBack(DidCommand):
    """Take a DID back from an account below. At the uploader of the number it returns to the stock."""


@dataclass(frozen=True, kw_only=True)
class HoldDid(DidCommand):
    """Put a DID on hold for some days. Without `after_hold`, what the DID has for its next hold applies."""

    days: int
    after_hold: AfterHold | None = None


@dataclass(frozen=True, kw_only=True)
class UnholdDid(DidCommand):
    """End a hold that was set by hand."""


@dataclass(frozen=True, kw_only=True)
class BlockDid(DidCommand):
    """Block a DID: no calls and no messages."""


@dataclass(frozen=True, kw_only=True)
class UnblockDid(DidCommand):
    """Unblock a DID."""


@dataclass(frozen=True, kw_only=True)
class PortOut(DidCommand):
    """End a DID whose number leaves for another operator."""


@dataclass(frozen=True, kw_only=True)
class ReturnDid(DidCommand):
    """End a DID and return its number to the stock that it came from."""


@dataclass(frozen=True, kw_only=True)
class CancelPorting(DidCommand):
    """Cancel the porting of a number."""


DID_COMMANDS: Final[Mapping[type[Command], str]] = MappingProxyType(
    {
        EditDid: "http.edit",
        AssignAccount: "http.assign_account",
        AssignUser: "http.assign_user",
        TakeBack: "http.take_back",
        HoldDid: "http.hold",
        UnholdDid: "http.unhold",
        BlockDid: "http.block",
        UnblockDid: "http.unblock",
        PortOut: "http.port_out",
        ReturnDid: "http.return",
        CancelPorting: "http.cancel_porting",
    }
)
"""The `type` of the entry in the history for each command."""
