"""The listing: the status, the quick filters and the columns by which My Numbers finds, counts and sorts DIDs.

It is stored with the DID, because queries use its columns. After a rule has changed, `rebuild` computes it again.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal, get_args
from uuid import UUID

from msgspec import Struct

from didflow_contracts.vocabulary import Status
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.my_numbers.condition import (
    REGISTERED,
    TERMINATED,
    Condition,
    Predicate,
    condition_of,
)
from didflow_inventory.domain.my_numbers.status import status_of
from didflow_inventory.domain.views import Views

Filter = Literal[
    "all", "active", "not_configured", "awaiting_registration", "terminated", "expiring_soon", "porting"
]
FILTERS: Final[tuple[Filter, ...]] = get_args(Filter)

QUICK_FILTERS: Final[Mapping[Filter, Predicate]] = {
    "all": lambda _: True,
    "active": lambda c: (
        not c.is_ended
        and c.lacks is None
        and c.carrier == "active"
        and c.registration in REGISTERED
        and c.stock not in ("blocked", "on_hold")
    ),
    "not_configured": lambda c: c.lacks is not None and not c.is_ended,
    "awaiting_registration": lambda c: c.registration not in REGISTERED and not c.is_ended,
    "terminated": lambda c: c.term in TERMINATED,
    "expiring_soon": lambda c: c.cycles_left == 0 and not c.is_ended,
    "porting": lambda c: c.stock == "porting_in",
}
"""Overlapping predicates over the live DIDs. Source: spec lifecycle, Quick filters."""


class Listing(Struct, frozen=True, kw_only=True):
    """The derived part of a DID. Each field is a column. No field has a default, so none can be forgotten.

    `shown_region` is the region that the seller gave, else the area that verification has published.
    """

    status: Status | None
    shown_region: str | None
    identity_id: UUID | None
    expires_at: datetime | None
    in_all: bool
    in_active: bool
    in_not_configured: bool
    in_awaiting_registration: bool
    in_terminated: bool
    in_expiring_soon: bool
    in_porting: bool


def listing_of(holding: Holding, views: Views) -> Listing:
    """Return the listing of a DID by the present rules."""
    condition = condition_of(holding, views)
    matches = matches_of(condition)
    return Listing(
        status=status_of(condition),
        shown_region=holding.region or views.registration.area,
        identity_id=views.registration.identity_id,
        expires_at=views.term.expires_at,
        in_all=matches["all"],
        in_active=matches["active"],
        in_not_configured=matches["not_configured"],
        in_awaiting_registration=matches["awaiting_registration"],
        in_terminated=matches["terminated"],
        in_expiring_soon=matches["expiring_soon"],
        in_porting=matches["porting"],
    )


@lru_cache(maxsize=1_024)
def matches_of(condition: Condition) -> Mapping[Filter, bool]:
    """Return for each quick filter whether it matches. None matches a DID that is not live."""
    return {name: condition.is_live and holds(condition) for name, holds in QUICK_FILTERS.items()}
