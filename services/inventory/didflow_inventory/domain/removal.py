"""The removal of a DID. It is final for the stock, the registration and the term."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.stock.after_did import without_did
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.view_updates import did_of_event
from didflow_inventory.domain.views import term_after_removal


def on_removed(did: Did | None, event: Event[DidRemoved], now: datetime, known: Known) -> Decision:
    """Remove a DID, whatever the sequence of the event. A second removal changes nothing.

    The number is free again when its carrier has released it.
    """
    found = did_of_event(did, event)
    if not isinstance(found, Did):
        return found
    if found.holding.stock == "removed":
        return Unchanged()
    removed = replace(
        found.holding,
        stock="removed",
        until=None,
        after_hold=None,
        held_by=None,
        assignment=None,
        removal_reason=event.data.reason,
        removed_at=event.time,
    )
    views = replace(found.views, term=term_after_removal(found.views.term))
    number = known.get(Number, removed.number)
    if number is None or number.did_id != removed.did_id:
        return conclude(removed, views, now)
    left = without_did(number, found.holding, event.data.reason, views.routing)
    return conclude(removed, views, now, also=(left,))
