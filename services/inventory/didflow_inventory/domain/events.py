"""Builders of the events that inventory publishes."""

from datetime import datetime

from didflow_chassis.decision import Refused
from didflow_contracts.assignments import Assignment
from didflow_contracts.events import (
    DidChanged,
    DidPortingEnded,
    DidStatusChanged,
    DidWithdrawn,
    EnduserAssigned,
    PurchaseRefused,
)
from didflow_contracts.events.purchase import Acquisition
from didflow_contracts.vocabulary import PortingOutcome, RefusalCode, Status, WithdrawalReason
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.my_numbers.next_step import next_step
from didflow_inventory.domain.my_numbers.status import CIRCLES
from didflow_inventory.domain.views import Views


def did_changed(holding: Holding) -> DidChanged:
    """Return the whole stock axis of a DID. Raises ValueError for a refused DID, because it has no stock axis."""
    if holding.stock == "refused":
        raise ValueError("a refused DID has no stock axis to publish")
    return DidChanged(
        did_id=holding.did_id,
        number=holding.number,
        account=holding.account,
        stock=holding.stock,
        until=holding.until,
        after_hold=holding.after_hold,
        held_by=holding.held_by,
        payer=holding.payer,
        user=holding.user,
        features=holding.features,
        carrier=holding.carrier,
        sms_carrier=holding.sms_carrier,
        origin=holding.origin,
        tags=holding.tags,
        description=holding.description,
    )


def porting_ended(holding: Holding, outcome: PortingOutcome) -> DidPortingEnded:
    """Return that the porting of a number ended without success."""
    return DidPortingEnded(
        did_id=holding.did_id, number=holding.number, account=holding.account, outcome=outcome
    )


def did_withdrawn(holding: Holding, reason: WithdrawalReason) -> DidWithdrawn:
    """Return that inventory takes a DID out of use. Billing then closes the term and publishes the removal."""
    return DidWithdrawn(did_id=holding.did_id, number=holding.number, account=holding.account, reason=reason)


def status_changed(holding: Holding, views: Views, status: Status, now: datetime) -> DidStatusChanged:
    """Return the change from the published status to a new status."""
    return DidStatusChanged(
        did_id=holding.did_id,
        number=holding.number,
        account=holding.account,
        status=status,
        previous=holding.published_status,
        circle=CIRCLES[status],
        next_step=next_step(holding, views, now),
    )


def enduser_assigned(holding: Holding, assignment: Assignment) -> EnduserAssigned:
    """Return the assignment of end-user details to a DID."""
    return EnduserAssigned(
        did_id=holding.did_id,
        number=holding.number,
        account=holding.account,
        identity_id=assignment.identity_id,
        address_id=assignment.address_id,
        document_ids=assignment.document_ids,
        assigned_at=assignment.assigned_at,
    )


def purchase_refused(data: Acquisition, code: RefusalCode, refusal: Refused) -> PurchaseRefused:
    """Return the refusal of a purchase that came as an event."""
    return PurchaseRefused(
        did_id=data.did_id,
        number=data.number,
        account=data.account,
        order_id=data.order_id,
        code=code,
        message=refusal.message,
    )
