"""The carriers of the installation. A carrier belongs to an account and serves it and the accounts below it.

Its name is unique in the installation, because carrier adapters filter commands by it. A name never changes. A carrier
is deleted, or loses a kind, only while no live DID, no number in stock and no account uses it, nor a number that
returns with it to its stock, because its DID has no such carrier. That is looked up under its exclusive lock. Every
command that names a carrier holds the same lock in shared mode. Whoever takes a default carrier holds the lock of the
account that names it. An order system may name any carrier, so a purchase by event locks none: it is as valid after a
deletion as before it. Source: spec inventory, `operator, carrier`.
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
USERS_OF_CARRIER: Final = "Live numbers, numbers in stock or accounts"
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
    """For what live DIDs, numbers in stock and accounts use a carrier.

    The default carrier of an account is used for messages too if the account names no other for them.
    """

    carrier_id: UUID
    voice: bool
    sms: bool

    def lost_with(self, kind: CarrierKind) -> str | None:
        """Return the use that a carrier of this kind does not serve: calls or messages; None if it serves all."""
        if self.voice and kind == "sms":
            return "calls"
        return "messages" if self.sms and kind == "voice" else None


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


def change_carrier(
    carrier: Carrier | None,
    command: ChangeCarrier,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Change a carrier. Refused `not_found`, and `in_use` if something uses it for what the new kind does not carry.

    Source: spec lifecycle, "carriers change only while no user holds the number".
    """
    if not is_managed(carrier, command.caller):
        return NOT_FOUND
    changed = replace(carrier, **command.changes)
    if changed == carrier:
        return Unchanged(answer=carrier)
    use = known.get(CarrierUse, carrier.carrier_id)
    lost = None if use is None else use.lost_with(changed.kind)
    if lost is not None:
        return Refused("in_use", f"{USERS_OF_CARRIER} use this carrier for {lost}.", "kind")
    return Decided(state=changed, answer=changed)


def delete_carrier(
    carrier: Carrier | None,
    command: DeleteCarrier,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a carrier. Refused `not_found`, and `in_use` while a number or an account names it."""
    if not is_managed(carrier, command.caller):
        return NOT_FOUND
    use = known.get(CarrierUse, carrier.carrier_id)
    if use is not None and (use.voice or use.sms):
        return Refused("in_use", f"{USERS_OF_CARRIER} use this carrier.")
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
