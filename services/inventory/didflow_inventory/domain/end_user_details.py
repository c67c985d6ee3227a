"""The assignment of end-user details to a DID. Inventory publishes and stores it; verification evaluates it.

Both services judge by one rule which assignments count (`didflow_contracts.assignments`). Whether an identity may be
used is known to verification alone; its answer is the registration.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Refused, Unchanged
from didflow_contracts.assignments import Assignment, AssignmentRefused, after, judge_assignment
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_inventory.domain.commands import AssignEndUser
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.events import enduser_assigned
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.holding.rules import NOT_FOUND
from didflow_inventory.domain.view_updates import NO_PURCHASE_YET
from didflow_inventory.domain.views import Views


def assign_end_user(did: Did | None, command: AssignEndUser, now: datetime) -> Decision:
    """Assign details to a live DID. The same details again are unchanged while the assignment is in force.

    Unknown, removed and foreign DIDs are refused alike with `not_found`.
    """
    if did is None or not did.holding.is_live or not command.caller.reaches(did.holding.account):
        return NOT_FOUND
    holding, views = did.holding, did.views
    last = holding.assignment
    assignment = Assignment(
        identity_id=command.identity_id,
        address_id=command.address_id,
        document_ids=command.document_ids,
        assigned_at=after(last, now),
        time=now,
    )
    if last is not None and last.details == assignment.details and is_in_force(holding, last, views):
        return Unchanged()
    published = enduser_assigned(holding, assignment)
    return conclude(replace(holding, assignment=assignment), views, now, published)


def on_assigned(did: Did | None, event: Event[EnduserAssigned], now: datetime) -> Decision:
    """Store details that were assigned in a customer portal. Refused with the codes of `judge_assignment`."""
    if did is None:
        return NO_PURCHASE_YET
    holding = did.holding
    judged = judge_assignment(
        event,
        number=holding.number,
        ended=not holding.is_live,
        holders=holding.all_holders,
        last=holding.assignment,
    )
    if isinstance(judged, AssignmentRefused):
        return Refused(*judged)
    if judged.assignment == holding.assignment:
        return Unchanged()
    return conclude(replace(holding, assignment=judged.assignment), did.views, now)


def is_in_force(holding: Holding, last: Assignment, views: Views) -> bool:
    """Return False if verification would judge the last assigned details again.

    It would if they were refused, have expired, were removed with a former holder, or were replaced by a resubmission.
    If in doubt, they are published again: equal details change nothing in verification.
    """
    registration, refused = views.registration, views.assignment_refused_at
    handed_over, since = holding.all_holders[-1].since, registration.since
    if handed_over is not None and handed_over > last.assigned_at:
        return False
    if refused is not None and refused >= last.assigned_at and (since is None or since < refused):
        return False
    if registration.state == "not_required" and registration.reasons:
        return False
    if since is None or since <= last.assigned_at:
        return True
    if registration.state in ("awaiting", "expired"):
        return False
    shown = registration.identity_id, registration.address_id
    return registration.state == "approved" or shown == (last.identity_id, last.address_id)
