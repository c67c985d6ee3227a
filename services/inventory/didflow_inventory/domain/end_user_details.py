"""The assignment of end-user details to a DID. Inventory publishes and stores it; verification evaluates it."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_contracts.ownership import contradicts_owner
from didflow_inventory.domain.commands import AssignEndUser
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.events import enduser_assigned
from didflow_inventory.domain.holding import Assignment
from didflow_inventory.domain.view_updates import NOT_YOURS, did_of_event
from didflow_inventory.domain.views import RegistrationView


def assign_end_user(did: Did | None, command: AssignEndUser, now: datetime) -> Decision:
    """Assign details to a live DID. The same details again are unchanged while the assignment is in force.

    Unknown, removed and foreign DIDs are refused alike with `not_found`.
    """
    if did is None or not did.holding.is_live or not command.caller.reaches(did.holding.account):
        return Refused("not_found", "No such number or DID id in your accounts.", "dids")
    holding, views = did.holding, did.views
    assignment = Assignment(
        identity_id=command.identity_id,
        address_id=command.address_id,
        document_ids=command.document_ids,
        assigned_at=now,
    )
    last = holding.assignment
    if last is not None and last.details == assignment.details and _is_in_force(last, views.registration):
        return Unchanged()
    published = enduser_assigned(holding, assignment)
    return conclude(replace(holding, assignment=assignment), views, now, published)


def on_assigned(did: Did | None, event: Event[EnduserAssigned], now: datetime) -> Decision:
    """Store details that were assigned in a customer portal. An assignment older than the stored one is refused."""
    found = did_of_event(did, event)
    if not isinstance(found, Did):
        return found
    holding = found.holding
    if contradicts_owner(event, holding.account):
        return NOT_YOURS
    if holding.stock == "removed":
        return Refused("removed", "This DID has been removed.", "did_id")
    data = event.data
    assignment = Assignment(
        identity_id=data.identity_id,
        address_id=data.address_id,
        document_ids=data.document_ids,
        assigned_at=data.assigned_at or event.time,
    )
    last = holding.assignment
    if last is not None and assignment.assigned_at < last.assigned_at:
        return Refused("outdated", "Later details have been assigned to this DID.")
    if assignment == last:
        return Unchanged()
    return conclude(replace(holding, assignment=assignment), found.views, now)


def _is_in_force(assignment: Assignment, registration: RegistrationView) -> bool:
    """Return False if the registration has gone back to awaiting since the assignment."""
    since = registration.since
    return registration.state != "awaiting" or since is None or since <= assignment.assigned_at
