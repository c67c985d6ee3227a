"""The status, the next step and the quick filters of a DID: closed tables over the condition of its axes.

Each rule exists once. Rows store the results, and queries filter and count by the stored columns.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal, get_args

from msgspec import Struct

from didflow_contracts.vocabulary import (
    CarrierState,
    Channels,
    Circle,
    DidStock,
    Features,
    HeldBy,
    NextAction,
    Registration,
    Responsible,
    Status,
    TermState,
)

Stock = DidStock | Literal["refused"]
"""The stock axis of a DID. A refused DID never held its number; it is kept for its history only."""

Filter = Literal[
    "all", "active", "not_configured", "awaiting_registration", "terminated", "expiring_soon", "porting"
]
FILTERS: Final[tuple[Filter, ...]] = get_args(Filter)

NOT_LIVE: Final[frozenset[Stock]] = frozenset(("removed", "refused"))
ENDED: Final[frozenset[TermState]] = frozenset(("canceled", "aging", "closed"))
TERMINATED: Final[frozenset[TermState]] = frozenset(("canceled", "aging"))
REGISTERED: Final[frozenset[Registration]] = frozenset(("approved", "not_required"))
TAKES_CALLS: Final = frozenset(("voice_in", "fax"))


class Condition(Struct, frozen=True, kw_only=True):
    """Everything that the status, the next step and the quick filters depend on.

    `is_answered` is False until verification has published the registration.
    """

    stock: Stock
    held_by: HeldBy | None
    is_answered: bool
    registration: Registration
    term: TermState
    cycles_left: int | None
    carrier: CarrierState
    features: Features
    voice: bool
    capacity: Channels | None
    sms: bool

    @property
    def lacks(self) -> NextAction | None:
        """The first thing that the routing lacks; None if it is configured. Source: spec lifecycle, Configured."""
        if TAKES_CALLS.intersection(self.features):
            if not self.voice:
                return "assign_voice_trunk"
            return None if is_sufficient(self.capacity) else "assign_capacity"
        if "sms_in" in self.features and not self.sms:
            return "assign_sms_trunk"
        return None

    @property
    def is_live(self) -> bool:
        """Whether the DID is neither removed nor refused."""
        return self.stock not in NOT_LIVE

    @property
    def is_ended(self) -> bool:
        """Whether the term has ended."""
        return self.term in ENDED


Predicate = Callable[[Condition], bool]


def is_sufficient(capacity: Channels | None) -> bool:
    """Return True if at least one call can come in. A capacity that is not set counts like 0."""
    return capacity == "unlimited" or (isinstance(capacity, int) and capacity >= 1)


STATUSES: Final[tuple[tuple[Status, Predicate], ...]] = (
    ("porting_in_progress", lambda c: c.stock == "porting_in"),
    ("terminated", lambda c: c.term in TERMINATED),
    ("blocked", lambda c: c.stock == "blocked"),
    ("hold", lambda c: c.stock == "on_hold"),
    ("awaiting_registration", lambda c: c.registration not in REGISTERED),
    ("delayed_service_removal", lambda c: c.term == "delayed_removal"),
    ("not_configured", lambda c: c.carrier != "active" or c.lacks is not None),
    ("active", lambda _: True),
)
"""The first line that matches is the status. Source: spec lifecycle, Status."""

NEXT_STEPS: Final[tuple[tuple[NextAction, Responsible, Predicate], ...]] = (
    ("none", "nobody", lambda c: not c.is_live),
    ("await_porting", "carrier", lambda c: c.stock == "porting_in"),
    ("restore", "account", lambda c: c.term == "canceled"),
    ("renew", "account", lambda c: c.term == "aging"),
    ("unblock", "blocker", lambda c: c.stock == "blocked"),
    ("reactivate_package", "reseller", lambda c: c.stock == "on_hold" and c.held_by == "package"),
    ("await_hold_end", "reseller", lambda c: c.stock == "on_hold"),
    ("await_requirement", "nobody", lambda c: not c.is_answered),
    ("assign_end_user_details", "account", lambda c: c.registration == "awaiting"),
    ("fix_end_user_details", "account", lambda c: c.registration in ("rejected", "expired")),
    ("await_review", "reviewer", lambda c: c.registration == "pending"),
    ("retry_carrier", "operator", lambda c: c.carrier == "failed"),
    ("await_carrier", "carrier", lambda c: c.carrier in ("inactive", "activating", "suspended")),
    ("assign_voice_trunk", "account", lambda c: c.lacks == "assign_voice_trunk"),
    ("assign_capacity", "account", lambda c: c.lacks == "assign_capacity"),
    ("assign_sms_trunk", "account", lambda c: c.lacks == "assign_sms_trunk"),
    ("set_billing_cycles", "account", lambda c: c.term == "delayed_removal"),
    ("none", "nobody", lambda _: True),
)
"""The first line that matches is the next step. A DID that is not live needs nothing.

Source: spec lifecycle, `next_step`.
"""

QUICK_FILTERS: Final[dict[Filter, Predicate]] = {
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

LABELS: Final[dict[Status, str]] = {
    "porting_in_progress": "Porting in Progress",
    "terminated": "Terminated",
    "blocked": "Blocked",
    "hold": "Hold",
    "awaiting_registration": "Awaiting Registration",
    "delayed_service_removal": "Delayed Service Removal",
    "not_configured": "Not Configured",
    "active": "Active",
}
CIRCLES: Final[dict[Status, Circle]] = {
    "porting_in_progress": "yellow",
    "terminated": "red",
    "blocked": "red",
    "hold": "red",
    "awaiting_registration": "yellow",
    "delayed_service_removal": "yellow",
    "not_configured": "yellow",
    "active": "green",
}


@lru_cache(maxsize=1_024)
def status_of(condition: Condition) -> Status | None:
    """Return the status of a DID; None for a DID that is not live."""
    if not condition.is_live:
        return None
    return next(status for status, holds in STATUSES if holds(condition))


@lru_cache(maxsize=1_024)
def action_of(condition: Condition) -> tuple[NextAction, Responsible]:
    """Return what is missing first, and who must act."""
    return next((action, who) for action, who, holds in NEXT_STEPS if holds(condition))


@lru_cache(maxsize=1_024)
def filters_of(condition: Condition) -> frozenset[Filter]:
    """Return the quick filters that match a DID. No filter matches a DID that is not live."""
    if not condition.is_live:
        return frozenset()
    return frozenset(name for name, holds in QUICK_FILTERS.items() if holds(condition))
