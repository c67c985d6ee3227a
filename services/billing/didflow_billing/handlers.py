"""Which message leads to which decision: all that billing listens to, on one screen."""

from collections.abc import Mapping

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.endings import on_refused, on_withdrawn
from didflow_billing.domain.expiry import on_due
from didflow_billing.domain.holding import on_did_changed
from didflow_billing.domain.registration import on_verification
from didflow_billing.domain.start import on_porting_started, on_purchased
from didflow_billing.domain.term import Term
from didflow_billing.domain.wishes import cancel, renew, restore, set_cycles
from didflow_chassis.decision import Command
from didflow_chassis.service import On
from didflow_contracts.event import EventData
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

EVENTS: Mapping[type[EventData], On] = {
    DidPurchased: On(on_purchased),
    DidPortingStarted: On(on_porting_started),
    PurchaseRefused: On(on_refused),
    DidChanged: On(on_did_changed),
    DidWithdrawn: On(on_withdrawn),
    VerificationRequired: On(on_verification),
    VerificationNotRequired: On(on_verification),
    VerificationPending: On(on_verification),
    VerificationApproved: On(on_verification),
    VerificationRejected: On(on_verification),
    VerificationExpiring: On(on_verification),
    VerificationExpired: On(on_verification),
}

COMMANDS: Mapping[type[Command], On] = {
    SetCycles: On(set_cycles),
    Renew: On(renew),
    Cancel: On(cancel),
    Restore: On(restore),
}

DUE: Mapping[type, On] = {Term: On(on_due)}
