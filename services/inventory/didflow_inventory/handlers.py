"""The handler of every event and command: which decision it leads to, and which states the decision needs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from didflow_chassis.decision import Command
from didflow_chassis.service import Handler
from didflow_contracts import events as e
from didflow_contracts.event_data import EventData
from didflow_inventory import needs
from didflow_inventory.domain import (
    end_user_details,
    purchase,
    rebuild,
    removal,
    timers,
    view_updates,
)
from didflow_inventory.domain.accounts import carriers, operators, users
from didflow_inventory.domain.accounts import changes as account_changes
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import Carrier
from didflow_inventory.domain.accounts.commands import (
    ChangeAccount,
    ChangeCarrier,
    ChangeOperator,
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
from didflow_inventory.domain.accounts.default_did import set_default_did
from didflow_inventory.domain.accounts.operators import Operator
from didflow_inventory.domain.accounts.users import User
from didflow_inventory.domain.commands import AssignEndUser, Purchase, RebuildDid, StartPorting
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding import block, edit, handover, hold, porting, user_assignment, withdrawal
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.my_numbers import change
from didflow_inventory.domain.packages import lifecycle, picks
from didflow_inventory.domain.packages.commands import (
    AddClient,
    ChangePackage,
    CreatePackage,
    EndClient,
    FollowPackage,
    Pick,
    SwitchPackage,
)
from didflow_inventory.domain.packages.package import Package, PackageClient
from didflow_inventory.domain.stock import changes as stock_changes
from didflow_inventory.domain.stock import reservation, upload
from didflow_inventory.domain.stock.commands import (
    AddManyNumbers,
    AddNumber,
    DeleteNumber,
    EditNumber,
    MoveNumber,
)
from didflow_inventory.domain.stock.handout import HandOut, hand_out
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.settings import InventorySettings


def _purchase(decide: Callable[..., Any], settings: InventorySettings) -> Handler:
    return Handler(
        decide=partial(decide, deployment_carrier=settings.default_carrier),
        needs=needs.states_of_purchase,
        state_needs=needs.stored_states_of_purchase,
        state_needs_are_rare=True,
    )


REGISTRATION: Final = Handler(decide=view_updates.on_registration)
TERM: Final = Handler(decide=view_updates.on_term)
RECORD_ONLY: Final = Handler(decide=view_updates.on_record_only)
ROUTING: Final = Handler(decide=view_updates.on_routing, needs=needs.number_of)


def events(settings: InventorySettings) -> Mapping[type[EventData], Handler]:
    """Return the handler of each event that inventory receives."""
    return {
        e.DidPurchased: _purchase(purchase.on_purchased, settings),
        e.DidPortingStarted: _purchase(porting.on_porting_started, settings),
        e.DidPortingEnded: Handler(decide=porting.on_porting_ended, needs=needs.number_of),
        e.EnduserAssigned: Handler(decide=end_user_details.on_assigned),
        e.VerificationRequired: REGISTRATION,
        e.VerificationNotRequired: REGISTRATION,
        e.VerificationPending: REGISTRATION,
        e.VerificationApproved: REGISTRATION,
        e.VerificationRejected: REGISTRATION,
        e.VerificationExpiring: REGISTRATION,
        e.VerificationExpired: REGISTRATION,
        e.ServiceChanged: Handler(decide=view_updates.on_service),
        e.RoutingChanged: ROUTING,
        e.DidActivated: ROUTING,
        e.ResultReported: Handler(decide=view_updates.on_result),
        e.TermChanged: TERM,
        e.CycleExpired: TERM,
        e.TermExpiring: RECORD_ONLY,
        e.LedgerPosted: RECORD_ONLY,
        e.MessageRefused: Handler(decide=view_updates.on_message_refused),
        e.DidRemoved: Handler(decide=removal.on_removed, needs=needs.number_of),
    }


def commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command."""
    return {
        Purchase: _purchase(purchase.purchase, settings),
        StartPorting: _purchase(porting.start_porting, settings),
        AssignEndUser: Handler(decide=end_user_details.assign_end_user),
        RebuildDid: Handler(decide=rebuild.rebuild, when_held=True),
        **_account_commands(settings),
        **_user_commands(settings),
        **_supplier_commands(),
        **_did_commands(settings),
        **_stock_commands(settings),
        **_package_commands(settings),
    }


def _account_commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command about an account."""
    default = settings.default_carrier
    return {
        CreateAccount: Handler(
            decide=partial(account_changes.create_account, deployment_carrier=default),
            model=Account,
            needs=needs.accounts_of_creation,
        ),
        ChangeAccount: Handler(
            decide=partial(account_changes.change_account, deployment_carrier=default),
            model=Account,
            needs=needs.account_that_sets_prices,
            state_needs=needs.carriers_of_change,
        ),
    }


def _package_commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command about a package."""
    return {
        CreatePackage: Handler(decide=lifecycle.create_package, model=Package, needs=needs.named_account),
        ChangePackage: Handler(decide=lifecycle.change_package, model=Package),
        SwitchPackage: Handler(decide=lifecycle.switch_package, model=Package),
        AddClient: Handler(decide=lifecycle.add_client, model=PackageClient, needs=needs.states_of_client),
        EndClient: Handler(decide=lifecycle.end_client, model=PackageClient, needs=needs.states_of_client),
        Pick: Handler(
            decide=partial(picks.pick, deployment_carrier=settings.default_carrier),
            needs=needs.states_of_pick,
            state_needs=needs.states_of_stocked,
            state_needs_are_rare=True,
        ),
        FollowPackage: Handler(decide=picks.follow_package, state_needs=needs.package_of_did, when_held=True),
    }


def _supplier_commands() -> Mapping[type[Command], Handler]:
    """Return the handler of each command about a carrier or an operator."""
    return {
        CreateCarrier: Handler(decide=carriers.create_carrier, model=Carrier, needs=needs.named_account),
        ChangeCarrier: Handler(
            decide=carriers.change_carrier, model=Carrier, state_needs=needs.use_of_carrier
        ),
        DeleteCarrier: Handler(
            decide=carriers.delete_carrier, model=Carrier, state_needs=needs.use_of_carrier
        ),
        CreateOperator: Handler(decide=operators.create_operator, model=Operator, needs=needs.named_account),
        ChangeOperator: Handler(decide=operators.change_operator, model=Operator),
        DeleteOperator: Handler(
            decide=operators.delete_operator, model=Operator, state_needs=needs.use_of_operator
        ),
    }


def _user_commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command about a user."""
    return {
        CreateUser: Handler(decide=users.create_user, model=User, needs=needs.named_account),
        ChangeUser: Handler(decide=users.change_user, model=User, state_needs=needs.dids_of_changed_user),
        DeleteUser: Handler(decide=users.delete_user, model=User, state_needs=needs.use_of_user),
        SetDefaultDid: Handler(
            decide=partial(set_default_did, deployment_carrier=settings.default_carrier),
            needs=needs.states_of_default_did,
            state_needs=needs.dids_of_user,
        ),
    }


def _stock_commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command about a number in stock."""
    default = settings.default_carrier
    return {
        AddNumber: Handler(
            decide=partial(upload.add_number, deployment_carrier=default),
            model=Number,
            needs=needs.accounts_of_uploader,
        ),
        AddManyNumbers: Handler(decide=upload.add_many_numbers, model=Account),
        EditNumber: Handler(
            decide=partial(stock_changes.edit_number, deployment_carrier=default),
            model=Number,
            needs=needs.states_of_stock_edit,
            state_needs=needs.stored_states_of_stock_edit,
        ),
        MoveNumber: Handler(decide=stock_changes.move_number, model=Number, needs=needs.account_of_caller),
        HandOut: Handler(
            decide=partial(hand_out, deployment_carrier=default),
            needs=needs.states_of_handout,
            state_needs=needs.stored_states_of_handout,
            state_needs_are_rare=True,
        ),
        reservation.Reserve: Handler(
            decide=reservation.reserve, model=reservation.Reservation, needs=needs.states_of_reservation
        ),
        reservation.CancelReservation: Handler(
            decide=reservation.cancel_reservation,
            model=reservation.Reservation,
            state_needs=needs.numbers_of_reservation,
        ),
        DeleteNumber: Handler(
            decide=stock_changes.delete_number, model=Number, needs=needs.account_of_caller
        ),
    }


def _did_commands(settings: InventorySettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command of a holder about one DID."""
    return {
        c.EditDid: Handler(
            decide=partial(edit.edit, deployment_carrier=settings.default_carrier),
            state_needs=needs.states_of_edit,
        ),
        c.AssignAccount: Handler(decide=handover.assign_account, needs=needs.named_account),
        c.AssignUser: Handler(
            decide=user_assignment.assign_user,
            needs=needs.user_of_assignment,
            state_needs=needs.default_of_assigned,
        ),
        c.TakeBack: Handler(decide=handover.take_back, needs=needs.states_of_take_back),
        c.HoldDid: Handler(decide=hold.hold),
        c.UnholdDid: Handler(decide=hold.unhold, state_needs=needs.package_of_did),
        c.BlockDid: Handler(decide=block.block),
        c.UnblockDid: Handler(decide=block.unblock),
        c.PortOut: Handler(decide=withdrawal.port_out, needs=needs.number_of_command),
        c.ReturnDid: Handler(decide=withdrawal.return_did, needs=needs.number_of_command),
        c.CancelPorting: Handler(decide=porting.cancel_porting, needs=needs.number_of_command),
    }


DUE: Final[Mapping[type, Handler]] = {
    Did: Handler(decide=timers.on_hold_end, state_needs=needs.states_of_hold_end),
    reservation.Reservation: Handler(
        decide=reservation.on_reservation_end, state_needs=needs.numbers_of_reservation
    ),
}

HISTORY: Final = change.recorded
