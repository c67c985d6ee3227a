"""Due timers of a DID: the end of a hold. It is decided for the instant at which it was due."""

from datetime import datetime

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.hold import after_hold
from didflow_inventory.domain.holding.withdrawal import withdrawn


def on_hold_end(did: Did, at: datetime, known: Known) -> Decision:
    """End a hold that has run out. With `back` the DID is again what it was, else it is withdrawn."""
    holding = did.holding
    if holding.until is None or holding.until > at:
        return Unchanged()
    if holding.after_hold == "back":
        return changed(did, after_hold(holding, "hold_end", known, at), at)
    return withdrawn(did, "hold_end", "hold_ended", at, known)
