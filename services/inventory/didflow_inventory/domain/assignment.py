"""Assigning end-user details: inventory passes the wish on and remembers it; verification judges it."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_inventory.domain.commands import AssignEndUser
from didflow_inventory.domain.did import Assignment, Did, conclude
from didflow_inventory.domain.hearing import present
from didflow_inventory.domain.sources import is_foreign


def assign_end_user(did: Did | None, command: AssignEndUser, now: datetime) -> Decision:
    """Assign details to a living DID; the same details again are unchanged while they still stand.

    Refused `not_found` for a DID that is gone: unknown, removed and foreign ones look alike.
    """
    if did is None or not did.is_live:
        return Refused("not_found", "no such number", "dids")
    wanted = Assignment(
        identity_id=command.identity_id,
        address_id=command.address_id,
        document_ids=command.document_ids,
        assigned_at=now,
    )
    if did.assigned and did.assigned.details == wanted.details and _stands(did, did.assigned):
        return Unchanged()
    return conclude(replace(did, assigned=wanted), _said(did, wanted))


def on_assigned(did: Did | None, event: Event[EnduserAssigned], _now: datetime) -> Decision:
    """Remember details that a portal assigned; an older assignment loses."""
    held = present(did, event)
    if not isinstance(held, Did):
        return held
    if is_foreign(event, held):
        return Refused("not_yours", "this DID belongs to another account", "account")
    if held.stock == "removed":
        return Refused("removed", "this DID is gone", "did_id")
    data = event.data
    given = Assignment(
        identity_id=data.identity_id,
        address_id=data.address_id,
        document_ids=data.document_ids,
        assigned_at=data.assigned_at or event.time,
    )
    if held.assigned is not None and given.assigned_at < held.assigned.assigned_at:
        return Refused("outdated", "later details have been assigned")
    return Unchanged() if given == held.assigned else conclude(replace(held, assigned=given))


def _stands(did: Did, assigned: Assignment) -> bool:
    """Say whether an assignment still stands: not when the number has gone back to awaiting after it."""
    since = did.registration.since
    return did.registration.state != "awaiting" or since is None or since <= assigned.assigned_at


def _said(did: Did, assignment: Assignment) -> EnduserAssigned:
    return EnduserAssigned(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        identity_id=assignment.identity_id,
        address_id=assignment.address_id,
        document_ids=assignment.document_ids,
        assigned_at=assignment.assigned_at,
    )
