"""The removal of a DID by billing. It is final for the stock, the registration and the term."""

from datetime import datetime

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.holding.withdrawal import ended_did
from didflow_inventory.domain.view_updates import did_of_event


def on_removed(did: Did | None, event: Event[DidRemoved], now: datetime, known: Known) -> Decision:
    """Remove a DID, whatever the sequence of the event. A DID that inventory withdrew is removed already.

    The number is free again when its carrier has released it.
    """
    found = did_of_event(did, event)
    if not isinstance(found, Did):
        return found
    if found.holding.stock == "removed":
        return Unchanged()
    ended, views, also = ended_did(found, "removal", event.data.reason, event.time, known)
    return conclude(ended, views, now, also=also)
