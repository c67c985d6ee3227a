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
    DidPurchased: On(decide=on_purchased),
    DidPortingStarted: On(decide=on_porting_started),
    PurchaseRefused: On(decide=on_refused),
    DidChanged: On(decide=on_did_changed),
    DidWithdrawn: On(decide=on_withdrawn),
    VerificationRequired: On(decide=on_verification),
    VerificationNotRequired: On(decide=on_verification),
    VerificationPending: On(decide=on_verification),
    VerificationApproved: On(decide=on_verification),
    VerificationRejected: On(decide=on_verification),
    VerificationExpiring: On(decide=on_verification),
    VerificationExpired: On(decide=on_verification),
}

COMMANDS: Mapping[type[Command], On] = {
    SetCycles: On(decide=set_cycles),
    Renew: On(decide=renew),
    Cancel: On(decide=cancel),
    Restore: On(decide=restore),
}

DUE: Mapping[type, On] = {Term: On(decide=on_due)}
