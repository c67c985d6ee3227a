"""The DID: its holding, the views of the other services' axes, and the listing that is derived from both.

A decision changes holding and views, and ends in `conclude`. It cannot set the listing: the constructor computes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from didflow_chassis.decision import Decided
from didflow_contracts.event_data import EventData
from didflow_inventory.domain.events import status_changed
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.my_numbers.listing import Listing, listing_of
from didflow_inventory.domain.views import Views


@dataclass(frozen=True, kw_only=True, slots=True)
class Did:
    """One life of a number, stored as one row.

    Every DID that is created or copied has the listing of the present rules. A DID that was loaded has the listing
    that was stored with it, until a decision changes the DID.
    """

    holding: Holding
    views: Views
    listing: Listing = field(init=False)

    def __post_init__(self) -> None:
        """Compute the listing."""
        object.__setattr__(self, "listing", listing_of(self.holding, self.views))

    @property
    def until(self) -> datetime | None:
        """When the hold of the DID ends; None while it is not on hold."""
        return self.holding.until


class DidAt(NamedTuple):
    """A DID at an instant: the answer of a decision about it. How it is shown depends on the caller too."""

    did: Did
    at: datetime


def conclude(
    holding: Holding,
    views: Views,
    now: datetime,
    *events: EventData,
    also: tuple[Any, ...] = (),
    answer: Callable[[Did], Any] | None = None,
) -> Decided[Did]:
    """Return the decision for a changed DID, with `did.status_changed` if the published status is out of date.

    No status is published before verification has answered, because until then the registration is an assumption.
    """
    did = Did(holding=holding, views=views)
    status = did.listing.status
    if status != holding.published_status and (status is None or _is_publishable(did)):
        if status is not None:
            events = (*events, status_changed(holding, views, status, now))
        did = Did(holding=replace(holding, published_status=status), views=views)
    return Decided(state=did, also=also, events=events, answer=answer(did) if answer else None)


def _is_publishable(did: Did) -> bool:
    return did.views.registration.is_answered or did.holding.stock == "porting_in"
