"""The removal of a DID. It is final for the stock, the registration and the term."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved
from didflow_inventory.domain.derived_columns import conclude
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock import Number, without_did
from didflow_inventory.domain.view_updates import did_of_event


def on_removed(did: Did | None, event: Event[DidRemoved], now: datetime, known: Known) -> Decision:
    """Remove a DID, whatever the sequence of the event. A second removal changes nothing.

    The number is free again when its carrier has released it.
    """
    found = did_of_event(did, event)
    if not isinstance(found, Did):
        return found
    if found.stock == "removed":
        return Unchanged()
    removed = replace(
        found,
        stock="removed",
        until=None,
        after_hold=None,
        held_by=None,
        assignment=None,
        removal_reason=event.data.reason,
        removed_at=event.time,
    )
    number = known.get(Number, found.number)
    is_present = number is not None and number.did_id == found.did_id
    return conclude(removed, now, also=(without_did(number, removed),) if number and is_present else ())
