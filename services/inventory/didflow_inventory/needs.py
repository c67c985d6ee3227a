"""The states besides the primary state that the decision on a message needs.

A message that can change which DID a number has needs the number with `write`. Accounts are only read.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Command, Known
from didflow_chassis.service import Ref
from didflow_contracts.accounts import lineage
from didflow_contracts.envelope import Event
from didflow_inventory.domain.accounts.account import Account, parent_of
from didflow_inventory.domain.accounts.carriers import Carrier, CarrierUse, carrier_id_of
from didflow_inventory.domain.accounts.changes import changed_account, new_carriers
from didflow_inventory.domain.accounts.commands import (
    ChangeAccount,
    ChangeCarrier,
    ChangeUser,
    CreateAccount,
    CreateCarrier,
    CreateOperator,
    CreateUser,
    DeleteCarrier,
    DeleteOperator,
    DeleteUser,
    SetDefaultDid,
)
from didflow_inventory.domain.accounts.operators import Operator, OperatorUse, operators_named
from didflow_inventory.domain.accounts.reach import is_managed
from didflow_inventory.domain.accounts.users import User, UserUse, loses_messages
from didflow_inventory.domain.commands import Purchase, StartPorting
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.commands import AssignAccount, AssignUser, DidCommand, EditDid, TakeBack
from didflow_inventory.domain.holding.edit import USER, changes_carriers, named_carriers, user_of
from didflow_inventory.domain.packages.commands import (
    AddClient,
    CreatePackage,
    EndClient,
    Pick,
)
from didflow_inventory.domain.packages.package import Package, PackageClient, PackageUse, client_key
from didflow_inventory.domain.purchase import earlier_did_id
from didflow_inventory.domain.stock.commands import AddNumber, EditNumber
from didflow_inventory.domain.stock.handout import HandOut
from didflow_inventory.domain.stock.new_did import order_key_of
from didflow_inventory.domain.stock.number import Number, OrderedNumber
from didflow_inventory.domain.stock.reservation import CancelReservation, HeldNumbers, Reservation, Reserve


def number_of(event: Event[Any]) -> Iterable[Ref]:
    """Return the number of the DID."""
    return (Ref(Number, event.data.number, write=True),)


def states_of_purchase(message: Any) -> Iterable[Ref]:
    """Return the number, the ordered number, the account with all accounts above it, and what a caller names.

    The account of a caller is one of them: it reaches the account that buys.
    """
    if isinstance(message, Purchase | StartPorting):
        yield from _named_carriers(message.data.carrier, message.data.sms_carrier)
    yield Ref(Number, message.data.number, write=True)
    key = order_key_of(message.data)
    if key is not None:
        yield Ref(OrderedNumber, key, write=True)
    yield from _with_accounts_above(message.data.account)


def stored_states_of_purchase(did: Did | None, message: Any, known: Known) -> Iterable[Ref]:
    """Return the DID that was made, or refused, for the same order, and what a held number needs."""
    yield from (Ref(Did, did_id) for did_id in earlier_did_id(message.data, known))
    yield from held_number(did, message, known)


def _with_accounts_above(account: str) -> Iterable[Ref]:
    """Return an account with all accounts above it."""
    return (Ref(Account, path) for path in lineage(account))


def held_number(_did: Did | None, message: Any, known: Known) -> Iterable[Ref]:
    """Return the count of the account for which a reservation holds the number that becomes a DID."""
    number = known.get(Number, message.subject)
    if number is not None and number.stock == "held" and number.held_for is not None:
        yield Ref(HeldNumbers, number.held_for, write=True)


def states_of_pick(command: Pick) -> Iterable[Ref]:
    """Return the number, the client with its package and its count, and the accounts of the client."""
    key = client_key(command.package_id, command.account)
    yield Ref(Number, command.subject, write=True)
    yield Ref(Package, command.package_id)
    yield Ref(PackageClient, key, write=True)
    yield Ref(PackageUse, key)
    yield from _with_accounts_above(command.account)


def named_account(
    command: AssignAccount | CreateCarrier | CreateOperator | CreatePackage | CreateUser,
) -> Iterable[Ref]:
    """Return the account that a command names."""
    return (Ref(Account, command.account),)


def states_of_client(command: AddClient | EndClient) -> Iterable[Ref]:
    """Return the package and the account of a client."""
    return (Ref(Package, command.package_id), Ref(Account, command.account))


def package_of_did(did: Did | None, _message: Any, _known: Known) -> Iterable[Ref]:
    """Return the client that picked a DID, and its package."""
    key = did.holding.package_key if did is not None else None
    if key is not None:
        yield Ref(PackageClient, key)
        yield Ref(Package, UUID(key.partition("|")[0]))


def states_of_stocked(did: Did | None, command: HandOut | Pick, known: Known) -> Iterable[Ref]:
    """Return the live DID of a number in stock, and what a held number needs."""
    number = known.get(Number, command.subject)
    if number is not None and number.did_id is not None:
        yield Ref(Did, number.did_id)
    yield from held_number(did, command, known)


def stored_states_of_handout(did: Did | None, command: HandOut, known: Known) -> Iterable[Ref]:
    """Return what the number needs, and the default DID of the user."""
    yield from states_of_stocked(did, command, known)
    if command.user_id is not None:
        yield from default_did_of(known.get(User, command.user_id))


def states_of_handout(command: HandOut) -> Iterable[Ref]:
    """Return the number, the user, and the account that gets it with all accounts above it."""
    yield Ref(Number, command.subject, write=True)
    if command.user_id is not None:
        yield Ref(User, command.user_id, write=True)
    yield from _with_accounts_above(command.account)


def states_of_reservation(command: Reserve) -> Iterable[Ref]:
    """Return the numbers, the caller's account, and how many numbers it holds."""
    yield Ref(Account, command.caller.account)
    yield Ref(HeldNumbers, command.caller.account, write=True)
    for number in command.numbers:
        yield Ref(Number, number, write=True, subject=number)


def numbers_of_reservation(
    reservation: Reservation | None, message: CancelReservation | None, _known: Known
) -> Iterable[Ref]:
    """Return the numbers of a reservation, and how many numbers its account holds, for those only who may end it."""
    if reservation is not None and (message is None or message.caller.reaches(reservation.account)):
        yield Ref(HeldNumbers, reservation.account, write=True)
        for number in reservation.numbers:
            yield Ref(Number, number, write=True, subject=number)


def accounts_of_creation(command: CreateAccount) -> Iterable[Ref]:
    """Return the account above a new one, its default carriers, and the caller's account if it may set prices."""
    properties = command.properties
    yield from _named_carriers(properties["default_carrier"], properties["default_sms_carrier"])
    parent = parent_of(command.path)
    if parent is not None:
        yield Ref(Account, parent)
    if properties["may_set_prices"] and command.path != command.caller.account:
        yield Ref(Account, command.caller.account)


def account_that_sets_prices(command: ChangeAccount) -> Iterable[Ref]:
    """Return the account of the caller if an account below it is to set prices."""
    if command.changes.get("may_set_prices") and command.entity_id != command.caller.account:
        yield Ref(Account, command.caller.account)


def carriers_of_change(account: Account | None, command: ChangeAccount, _known: Known) -> Iterable[Ref]:
    """Return the default carriers that an account gets, for those only who may change it."""
    if account is None or not command.caller.reaches(account.path):
        return ()
    new = new_carriers(account, changed_account(account, command))
    return _named_carriers(new.carrier, new.sms_carrier)


def use_of_carrier(
    carrier: Carrier | None, command: ChangeCarrier | DeleteCarrier, _known: Known
) -> Iterable[Ref]:
    """Return for what a carrier is used, for those only who may change and delete it."""
    return [Ref(CarrierUse, command.entity_id)] if is_managed(carrier, command.caller) else []


def use_of_operator(operator: Operator | None, command: DeleteOperator, _known: Known) -> Iterable[Ref]:
    """Return whether a number names an operator, for those only who may delete it."""
    return [Ref(OperatorUse, command.entity_id)] if is_managed(operator, command.caller) else []


def _named_carriers(*names: str | None) -> Iterable[Ref]:
    """Return carriers by their names. Their shared locks keep them as they are meanwhile."""
    return (Ref(Carrier, carrier_id_of(name)) for name in dict.fromkeys(names) if name is not None)


def _named_operator(account: str, name: str | None) -> Iterable[Ref]:
    """Return the operators that a number of an account names. Their shared locks keep them from being deleted."""
    return () if name is None else (Ref(Operator, found) for found in operators_named(account, name))


def use_of_user(user: User | None, command: DeleteUser, _known: Known) -> Iterable[Ref]:
    """Return the count of live DIDs of a user, for those only who may delete it."""
    return [Ref(UserUse, str(command.entity_id))] if is_managed(user, command.caller) else []


def states_of_default_did(command: SetDefaultDid) -> Iterable[Ref]:
    """Return the user, the number, and the account with all accounts above it."""
    yield Ref(User, command.user.entity_id, write=True)
    yield Ref(Number, command.subject, write=True)
    yield from _with_accounts_above(command.account)


def dids_of_user(_did: Did | None, command: SetDefaultDid, known: Known) -> Iterable[Ref]:
    """Return what the creation or the change of the user needs."""
    user = known.get(User, command.user.entity_id)
    if isinstance(command.user, ChangeUser):
        return dids_of_changed_user(user, command.user, known)
    return default_did_of(user)


def dids_of_changed_user(user: User | None, command: ChangeUser, _known: Known) -> Iterable[Ref]:
    """Return the DID that was last made the default of a user, and the count of its DIDs if it loses its messages."""
    yield from default_did_of(user)
    if user is not None and loses_messages(user, command):
        yield Ref(UserUse, str(user.user_id))


def default_did_of(user: User | None) -> Iterable[Ref]:
    """Return the DID that was last made the default of a user: what `user_with_did` must know."""
    if user is not None and user.default_did is not None:
        yield Ref(Did, user.default_did, subject=user.default_number)


def number_of_command(command: DidCommand) -> Iterable[Ref]:
    """Return the number of the DID that a command is about."""
    return (Ref(Number, command.subject, write=True),)


def states_of_hold_end(did: Did | None, message: Any, known: Known) -> Iterable[Ref]:
    """Return the number of a DID, and the client that picked it with its package."""
    if did is not None:
        yield Ref(Number, did.holding.number, write=True)
    yield from package_of_did(did, message, known)


def states_of_take_back(command: TakeBack) -> Iterable[Ref]:
    """Return the number of the DID, and the account of the caller, which gets it."""
    return (*number_of_command(command), Ref(Account, command.caller.account))


def user_of_assignment(command: AssignUser) -> Iterable[Ref]:
    """Return the user that a DID is assigned to."""
    return () if command.user_id is None else (Ref(User, command.user_id, write=True),)


def default_of_assigned(_did: Did | None, command: AssignUser, known: Known) -> Iterable[Ref]:
    """Return the present default DID of the user that a DID is assigned to."""
    return () if command.user_id is None else default_did_of(known.get(User, command.user_id))


def states_of_edit(did: Did | None, command: EditDid, _known: Known) -> Iterable[Ref]:
    """Return the accounts and the carriers that the edit needs, and for a caller who is a user, that user."""
    if did is None:
        return
    if changes_carriers(command.edits):
        named = named_carriers(command.edits)
        yield from _named_carriers(named.carrier, named.sms_carrier)
        yield from _with_accounts_above(did.holding.account)
    user_id = user_of(did.holding) if command.caller.role == USER else None
    if user_id is not None:
        yield Ref(User, user_id)


def account_of_caller(command: Command) -> Iterable[Ref]:
    """Return the account of the caller."""
    return (Ref(Account, command.caller.account),)


def accounts_of_uploader(command: AddNumber) -> Iterable[Ref]:
    """Return the account of the caller with all accounts above it, the named carriers and the operator."""
    yield from _named_carriers(command.fields.carrier, command.fields.sms_carrier)
    yield from _named_operator(command.caller.account, command.fields.operator)
    yield from _with_accounts_above(command.caller.account)


def states_of_stock_edit(command: EditNumber) -> Iterable[Ref]:
    """Return the account of the caller, and the named carriers."""
    yield from account_of_caller(command)
    yield from _named_carriers(command.changes.get("carrier"), command.changes.get("sms_carrier"))


def stored_states_of_stock_edit(number: Number | None, command: EditNumber, _known: Known) -> Iterable[Ref]:
    """Return the account that added a number to the stock, all accounts above it, and the named operator."""
    uploader = None if number is None else number.uploaded_by
    if uploader is not None:
        yield from _with_accounts_above(uploader)
        yield from _named_operator(uploader, command.changes.get("operator"))
