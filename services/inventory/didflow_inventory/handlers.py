"""What leads to which decision, as data: the events that inventory hears, the wishes that it takes.

Whatever changes who lives on a number declares that number as written; accounts are only looked at.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from didflow_chassis.decision import Command, Known
from didflow_chassis.service import Handler, Ref
from didflow_contracts import events as e
from didflow_contracts.event_data import EventData
from didflow_inventory.domain import account, assignment, hearing, history, purchase, removal
from didflow_inventory.domain.account import Account
from didflow_inventory.domain.commands import AssignEndUser, CreateAccount, Purchase
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.sources import Said
from didflow_inventory.domain.stock import Number, Order
from didflow_inventory.settings import InventorySettings


def its_number(message: Said) -> Iterable[Ref]:
    """Name the number that a DID lives on, to be written."""
    return (Ref(Number, message.data.number, write=True),)


def of_purchase(message: Any) -> Iterable[Ref]:
    """Name what a purchase needs: its number, its order, and its account with all above it."""
    yield Ref(Number, message.data.number, write=True)
    key = purchase.order_of(message.data)
    if key is not None:
        yield Ref(Order, key, write=True)
    for path in account.lineage(message.data.account):
        yield Ref(Account, path)


def earlier(_did: Did | None, message: Any, known: Known) -> Iterable[Ref]:
    """Name the DID that the same order made before."""
    return (Ref(Did, did_id) for did_id in purchase.earlier_did(message.data, known))


def parent(command: CreateAccount) -> Iterable[Ref]:
    """Name the account above a new one."""
    above = account.parent_of(command.path)
    return () if above is None else (Ref(Account, above),)


def _purchase(decide: Callable[..., Any], settings: InventorySettings) -> Handler:
    return Handler(
        decide=partial(decide, deployment=purchase.Deployment(default_carrier=settings.default_carrier)),
        needs=of_purchase,
        state_needs=earlier,
        state_needs_are_rare=True,
    )


REGISTRATION: Final = Handler(decide=hearing.on_registration)
TERM: Final = Handler(decide=hearing.on_term)
ROUTING: Final = Handler(decide=hearing.on_routing, needs=its_number)


def events(settings: InventorySettings) -> Mapping[type[EventData], Handler]:
    """Return the handler of each event that inventory receives."""
    return {
        e.DidPurchased: _purchase(purchase.on_purchased, settings),
        e.EnduserAssigned: Handler(decide=assignment.on_assigned),
        e.VerificationRequired: REGISTRATION,
        e.VerificationNotRequired: REGISTRATION,
        e.VerificationPending: REGISTRATION,
        e.VerificationApproved: REGISTRATION,
        e.VerificationRejected: REGISTRATION,
        e.VerificationExpiring: REGISTRATION,
        e.VerificationExpired: REGISTRATION,
        e.ServiceChanged: Handler(decide=hearing.on_service),
        e.RoutingChanged: ROUTING,
        e.DidActivated: ROUTING,
        e.ResultReported: Handler(decide=hearing.on_result),
        e.TermChanged: TERM,
        e.CycleExpired: TERM,
        e.LedgerPosted: Handler(decide=hearing.on_ledger),
        e.MessageRefused: Handler(decide=hearing.on_message_refused),
        e.DidRemoved: Handler(decide=removal.on_removed, needs=its_number),
    }


def commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command."""
    return {
        Purchase: _purchase(purchase.purchase, settings),
        AssignEndUser: Handler(decide=assignment.assign_end_user),
        CreateAccount: Handler(decide=account.create_account, model=Account, needs=parent),
    }


DUE: Final[Mapping[type, Handler]] = {}

HISTORY: Final = history.record
