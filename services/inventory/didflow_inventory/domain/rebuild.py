"""The rebuild of one DID: its listing is computed again, after a rule of showing has changed."""

from datetime import datetime

from didflow_chassis.decision import Decision, Refused, Unchanged
from didflow_inventory.domain.commands import RebuildDid
from didflow_inventory.domain.did import Did, conclude


def rebuild(did: Did | None, _command: RebuildDid, now: datetime) -> Decision:
    """Compute the listing by the present rules. Unchanged if the stored listing is the same.

    If the status changes, it is published. Holding and views stay as they are.
    """
    if did is None:
        return Refused("not_found", "No DID has this id.", "did_id")
    decided = conclude(did.holding, did.views, now)
    return Unchanged() if decided.state == did else decided
