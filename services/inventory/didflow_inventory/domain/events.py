"""Builders of the events that inventory publishes."""

from datetime import datetime

from didflow_chassis.decision import Refused
from didflow_contracts.events import (
    DidChanged,
    DidPurchased,
    DidStatusChanged,
    EnduserAssigned,
    PurchaseRefused,
)
from didflow_contracts.vocabulary import RefusalCode, Status
from didflow_inventory.domain.did import Assignment, Did, next_step
from didflow_inventory.domain.status import CIRCLES


def did_changed(did: Did) -> DidChanged:
    """Return the whole stock axis of a DID. Raises ValueError for a refused DID, because it has no stock axis."""
    if did.stock == "refused":
        raise ValueError("a refused DID has no stock axis to publish")
    return DidChanged(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        stock=did.stock,
        until=did.until,
        after_hold=did.after_hold,
        held_by=did.held_by,
        payer=did.payer,
        user=did.user,
        features=did.features,
        carrier=did.carrier,
        sms_carrier=did.sms_carrier,
        origin=did.origin,
        tags=did.tags,
        description=did.description,
    )


def status_changed(did: Did, status: Status, now: datetime) -> DidStatusChanged:
    """Return the change from the published status to a new status."""
    return DidStatusChanged(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        status=status,
        previous=did.published_status,
        circle=CIRCLES[status],
        next_step=next_step(did, now),
    )


def enduser_assigned(did: Did, assignment: Assignment) -> EnduserAssigned:
    """Return the assignment of end-user details to a DID."""
    return EnduserAssigned(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        identity_id=assignment.identity_id,
        address_id=assignment.address_id,
        document_ids=assignment.document_ids,
        assigned_at=assignment.assigned_at,
    )


def purchase_refused(data: DidPurchased, code: RefusalCode, refusal: Refused) -> PurchaseRefused:
    """Return the refusal of a purchase that came as an event."""
    return PurchaseRefused(
        did_id=data.did_id,
        number=data.number,
        account=data.account,
        order_id=data.order_id,
        code=code,
        message=refusal.message,
    )
