"""The end of a DID: final for stock, registration and term; its number is free once the carrier let go."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.hearing import present
from didflow_inventory.domain.stock import Number, freed


def on_removed(did: Did | None, event: Event[DidRemoved], _now: datetime, known: Known) -> Decision:
    """End a DID's life. Always applied, whatever its sequence; a second removal changes nothing."""
    held = present(did, event)
    if not isinstance(held, Did):
        return held
    if held.stock == "removed":
        return Unchanged()
    removed = replace(
        held,
        stock="removed",
        until=None,
        after_hold=None,
        assigned=None,
        removal=event.data.reason,
        removed_at=event.time,
    )
    number = known.get(Number, held.number)
    lives = number is not None and number.did_id == held.did_id
    return conclude(removed, also=(freed(number, removed),) if number and lives else ())
