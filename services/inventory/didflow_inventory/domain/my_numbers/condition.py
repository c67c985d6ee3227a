"""The condition of a DID: the values that the status, the next step and the quick filters depend on."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from didflow_contracts.vocabulary import (
    CarrierState,
    Channels,
    Features,
    HeldBy,
    NextAction,
    Registration,
    TermState,
)
from didflow_inventory.domain.holding import NOT_LIVE, Holding, Stock
from didflow_inventory.domain.views import ENDED, Views

TERMINATED: Final[frozenset[TermState]] = frozenset(("canceled", "aging"))
REGISTERED: Final[frozenset[Registration]] = frozenset(("approved", "not_required"))
TAKES_CALLS: Final = frozenset(("voice_in", "fax"))


class Condition(Struct, frozen=True, kw_only=True):
    """What the closed tables depend on. There are few conditions, so the results of the tables are cached.

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


def condition_of(holding: Holding, views: Views) -> Condition:
    """Return the condition of a DID."""
    registration, term, routing = views.registration, views.term, views.routing
    return Condition(
        stock=holding.stock,
        held_by=holding.held_by,
        is_answered=registration.is_answered,
        registration=registration.state,
        term=term.state,
        cycles_left=term.cycles_left,
        carrier=routing.carrier_state,
        features=holding.features,
        voice=routing.voice is not None,
        capacity=routing.capacity,
        sms=routing.sms is not None,
    )


def is_sufficient(capacity: Channels | None) -> bool:
    """Return True if at least one call can come in. A capacity that is not set counts like 0."""
    return capacity == "unlimited" or (isinstance(capacity, int) and capacity >= 1)
