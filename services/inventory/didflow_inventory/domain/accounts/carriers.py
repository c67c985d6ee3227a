"""The carriers of the installation. A carrier belongs to an account and serves it and the accounts below it.

Its name is unique in the installation, because carrier adapters filter commands by it. A name never changes. A carrier
is deleted only while no live DID, no number in stock and no account names it, nor a number that returns with it to its
stock, because its DID has no such carrier. That is looked up under its exclusive
lock. Every purchase, every upload and every account over HTTP that names a carrier holds the same lock in shared mode.
Source: spec inventory, `operator, carrier`.
"""

from datetime import datetime
from operator import attrgetter
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.commands import ChangeCarrier, CreateCarrier, DeleteCarrier
from didflow_inventory.domain.accounts.default_carriers import Carriers
from didflow_inventory.domain.accounts.reach import is_managed
from didflow_inventory.domain.history.things import Thing, recorded_fields

CarrierKind = Literal["voice", "sms", "both"]
NOT_FOUND: Final = Refused("not_found", "No such carrier in your accounts.")


class Carrier(Struct, frozen=True, kw_only=True):
    """A carrier for calls, for messages or for both. A deleted carrier is as if it did not exist."""

    carrier_id: UUID
    account: str
    name: str
    kind: CarrierKind
    created_at: datetime
    deleted: bool = False

    def serves(self, account: str, kind: CarrierKind) -> bool:
        """Return True if numbers of this account may name the carrier for calls or for messages."""
        return not self.deleted and is_within(account, self.account) and self.kind in (kind, "both")


THING: Final = Thing(
    name="carrier",
    model=Carrier,
    key_of=attrgetter("carrier_id"),
    account_of=attrgetter("account"),
    changes=recorded_fields(Carrier, without=["carrier_id"]),
)


class CarrierUse(Struct, frozen=True, kw_only=True):
    """A carrier that something names. There is no such state for any other."""

    carrier_id: UUID


def carrier_id_of(name: str) -> UUID:
    """Return the id of the carrier of this name."""
    return derived_id("carrier", name)


def create_carrier(carrier: Carrier | None, command: CreateCarrier, now: datetime, known: Known) -> Decision:
    """Create a carrier. The same again is unchanged. Refused `not_found` (the account), `carrier_exists`."""
    if not command.caller.reaches(command.account) or known.get(Account, command.account) is None:
        return Refused("not_found", "No such account in your reach.", "account")
    if carrier is not None and not carrier.deleted:
        if (carrier.account, carrier.kind) == (command.account, command.kind):
            return Unchanged(answer=carrier)
        return Refused("carrier_exists", "There is a carrier of this name. Its name is unique.", "name")
    created = Carrier(
        carrier_id=carrier_id_of(command.name),
        account=command.account,
        name=command.name,
        kind=command.kind,
        created_at=now,
    )
    return Decided(state=created, answer=created)


def change_carrier(carrier: Carrier | None, command: ChangeCarrier, now: datetime) -> Decision:  # noqa: ARG001
    """Change a carrier. Refused `not_found`."""
    if not is_managed(carrier, command.caller):
        return NOT_FOUND
    changed = replace(carrier, **command.changes)
    return Unchanged(answer=carrier) if changed == carrier else Decided(state=changed, answer=changed)


def delete_carrier(
    carrier: Carrier | None,
    command: DeleteCarrier,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a carrier. Refused `not_found`, and `in_use` while a number or an account names it."""
    if not is_managed(carrier, command.caller):
        return NOT_FOUND
    if known.get(CarrierUse, carrier.carrier_id) is not None:
        return Refused("in_use", "Live numbers, numbers in stock or accounts name this carrier.")
    return Decided(state=replace(carrier, deleted=True))


def refusal_of_carriers(
    given: Carriers, account: str, known: Known, deployment_carrier: str
) -> Refused | None:
    """Return why an account and its numbers cannot have the carriers that a caller names; None if they can.

    The carrier of the deployment is always known. A carrier that serves other accounts only is answered like one that
    does not exist.
    """
    named: tuple[tuple[str, CarrierKind, str | None], ...] = (
        ("carrier", "voice", given.carrier),
        ("sms_carrier", "sms", given.sms_carrier),
    )
    for field, kind, name in named:
        if name is None or name == deployment_carrier:
            continue
        carrier = known.get(Carrier, carrier_id_of(name))
        if carrier is None or not carrier.serves(account, kind):
            use = "calls" if kind == "voice" else "messages"
            return Refused("carrier_unknown", f"No carrier {name} serves {account} for {use}.", field)
    return None
