"""The states besides the primary state that the decision on a message needs.

A message that can change which DID a number has needs the number with `write`. Accounts are only read.
"""

from collections.abc import Iterable
from typing import Any

from didflow_chassis.decision import Command, Known
from didflow_chassis.service import Ref
from didflow_contracts.envelope import Event
from didflow_inventory.domain.account import Account, lineage, parent_of
from didflow_inventory.domain.commands import CreateAccount
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.commands import AssignAccount, DidCommand, EditDid
from didflow_inventory.domain.holding.edit import changes_carriers
from didflow_inventory.domain.purchase import earlier_did_id
from didflow_inventory.domain.stock.commands import AddNumber
from didflow_inventory.domain.stock.new_did import order_key_of
from didflow_inventory.domain.stock.number import Number, OrderedNumber


def number_of(event: Event[Any]) -> Iterable[Ref]:
    """Return the number of the DID."""
    return (Ref(Number, event.data.number, write=True),)


def states_of_purchase(message: Any) -> Iterable[Ref]:
    """Return the number, the ordered number, and the account with all accounts above it.

    The account of a caller is one of them: it reaches the account that buys.
    """
    yield Ref(Number, message.data.number, write=True)
    key = order_key_of(message.data)
    if key is not None:
        yield Ref(OrderedNumber, key, write=True)
    for path in lineage(message.data.account):
        yield Ref(Account, path)


def earlier_did_of_order(_did: Did | None, message: Any, known: Known) -> Iterable[Ref]:
    """Return the DID that was made, or refused, for the same order."""
    return (Ref(Did, did_id) for did_id in earlier_did_id(message.data, known))


def accounts_of_creation(command: CreateAccount) -> Iterable[Ref]:
    """Return the account directly above a new account, and that of the caller if the new one may set prices."""
    parent = parent_of(command.path)
    if parent is not None:
        yield Ref(Account, parent)
    if command.may_set_prices and command.path != command.caller.account:
        yield Ref(Account, command.caller.account)


def number_of_command(command: DidCommand) -> Iterable[Ref]:
    """Return the number of the DID that a command is about."""
    return (Ref(Number, command.subject, write=True),)


def number_of_did(did: Did | None, _message: Any, _known: Known) -> Iterable[Ref]:
    """Return the number of a DID."""
    if did is not None:
        yield Ref(Number, did.holding.number, write=True)


def account_of_handover(command: AssignAccount) -> Iterable[Ref]:
    """Return the account that a DID is handed to."""
    return (Ref(Account, command.account),)


def accounts_of_edit(did: Did | None, command: EditDid, _known: Known) -> Iterable[Ref]:
    """Return the holder and all accounts above it, if the edit needs their default carriers."""
    if did is not None and changes_carriers(command.edits):
        for path in lineage(did.holding.account):
            yield Ref(Account, path)


def account_of_caller(command: Command) -> Iterable[Ref]:
    """Return the account of the caller."""
    return (Ref(Account, command.caller.account),)


def accounts_of_uploader(command: AddNumber) -> Iterable[Ref]:
    """Return the account of the caller, and all accounts above it."""
    return (Ref(Account, path) for path in lineage(command.caller.account))


def accounts_of_stock(number: Number | None, _command: Command, _known: Known) -> Iterable[Ref]:
    """Return the account that added a number to the stock, and all accounts above it."""
    uploader = None if number is None else number.uploaded_by
    return () if uploader is None else (Ref(Account, path) for path in lineage(uploader))
