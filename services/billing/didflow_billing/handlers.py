"""Which message leads to which decision."""

from collections.abc import Mapping

from didflow_billing import needs
from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles, SetPrice
from didflow_billing.domain.prices.changes import set_price
from didflow_billing.domain.prices.row import PriceSeries
from didflow_billing.domain.purchase import on_porting_started, on_purchased
from didflow_billing.domain.removal import on_purchase_refused, on_withdrawn
from didflow_billing.domain.term import Term
from didflow_billing.domain.term_changes import cancel, renew, restore, set_cycles
from didflow_billing.domain.timers import on_due
from didflow_billing.domain.views import on_did_changed, on_registration_changed
from didflow_chassis.decision import Command
from didflow_chassis.service import Handler
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidWithdrawn,
    PurchaseRefused,
    VerificationApproved,
    VerificationExpired,
    VerificationExpiring,
    VerificationNotRequired,
    VerificationPending,
    VerificationRejected,
    VerificationRequired,
)

EVENTS: Mapping[type[EventData], Handler] = {
    DidPurchased: Handler(decide=on_purchased, needs=needs.prices_of_purchase),
    DidPortingStarted: Handler(decide=on_porting_started),
    PurchaseRefused: Handler(decide=on_purchase_refused),
    DidChanged: Handler(decide=on_did_changed),
    DidWithdrawn: Handler(decide=on_withdrawn),
    VerificationRequired: Handler(decide=on_registration_changed),
    VerificationNotRequired: Handler(decide=on_registration_changed),
    VerificationPending: Handler(decide=on_registration_changed),
    VerificationApproved: Handler(decide=on_registration_changed),
    VerificationRejected: Handler(decide=on_registration_changed),
    VerificationExpiring: Handler(decide=on_registration_changed),
    VerificationExpired: Handler(decide=on_registration_changed),
}

COMMANDS: Mapping[type[Command], Handler] = {
    SetCycles: Handler(decide=set_cycles),
    Renew: Handler(decide=renew),
    Cancel: Handler(decide=cancel),
    Restore: Handler(decide=restore),
    SetPrice: Handler(decide=set_price, model=PriceSeries),
}

DUE: Mapping[type, Handler] = {Term: Handler(decide=on_due)}
