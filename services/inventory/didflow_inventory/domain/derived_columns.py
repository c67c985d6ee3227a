"""The derived columns of a DID, and the publication of its status.

Every decision that changes a DID ends in `conclude`, so the derived columns always match the axes.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from didflow_chassis.decision import Decided
from didflow_contracts.event_data import EventData
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.events import status_changed
from didflow_inventory.domain.status import filters_of, status_of


def with_derived_columns(did: Did) -> Did:
    """Return the DID with its derived columns recomputed.

    The term of a removed DID is closed, whatever term arrives afterwards.
    """
    if did.stock == "removed" and did.term.state != "closed":
        did = replace(did, term=replace(did.term, state="closed"))
    condition = did.condition
    filters = filters_of(condition)
    return replace(
        did,
        status=status_of(condition),
        identity_id=did.registration.identity_id,
        expires_at=did.term.expires_at,
        in_all="all" in filters,
        in_active="active" in filters,
        in_not_configured="not_configured" in filters,
        in_awaiting_registration="awaiting_registration" in filters,
        in_terminated="terminated" in filters,
        in_expiring_soon="expiring_soon" in filters,
        in_porting="porting" in filters,
    )


def conclude(
    did: Did, now: datetime, *events: EventData, also: tuple[Any, ...] = (), answer: Any = None
) -> Decided[Did]:
    """Return the decision for a changed DID, with `did.status_changed` if the published status is out of date.

    No status is published before verification has answered, because until then the registration is an assumption.
    """
    after = with_derived_columns(did)
    if after.status is None:
        after = replace(after, published_status=None)
    elif after.status != after.published_status and _is_publishable(after):
        changed = status_changed(after, after.status, now)
        after = replace(after, published_status=after.status)
        events = (*events, changed)
    return Decided(state=after, also=also, events=events, answer=answer)


def _is_publishable(did: Did) -> bool:
    return did.registration.is_answered or did.stock == "porting_in"
