"""The decision for a DID whose holding changed: what is published, and what is returned over HTTP."""

from datetime import datetime
from functools import partial
from typing import Any

from didflow_chassis.decision import Decision, Unchanged
from didflow_contracts.event_data import EventData
from didflow_inventory.domain.did import Did, DidAt, conclude
from didflow_inventory.domain.events import did_changed
from didflow_inventory.domain.holding.holding import Holding


def changed(
    did: Did, after: Holding, now: datetime, *events: EventData, also: tuple[Any, ...] = ()
) -> Decision:
    """Return the decision. `did.changed` is published if one of its fields differs; notes are in no event."""
    if after == did.holding:
        return Unchanged(answer=DidAt(did, now))
    published = did_changed(after)
    whole = () if published == did_changed(did.holding) else (published,)
    return conclude(after, did.views, now, *whole, *events, also=also, answer=partial(DidAt, at=now))
