"""The carrier axis: its closed table, and what sending or finishing an order does to it.

What is not listed cannot happen: `moved` raises, so that a new path is a new line here, or a defect.
"""

from collections.abc import Mapping
from typing import Final

from didflow_contracts.vocabulary import CarrierAction, CarrierState

TRANSITIONS: Final[Mapping[CarrierState, frozenset[CarrierState]]] = {
    "inactive": frozenset(("activating", "released")),
    "activating": frozenset(("active", "failed", "released")),
    "failed": frozenset(("activating", "active", "released")),
    "active": frozenset(("suspended", "released")),
    "suspended": frozenset(("active", "released")),
    "released": frozenset(),
}
"""From each state to those that may follow. Source: spec lifecycle, the axes."""

SENT: Final[Mapping[tuple[CarrierAction, CarrierState], CarrierState]] = {
    ("activate", "inactive"): "activating",
    ("activate", "failed"): "activating",
}
"""What an order changes as it leaves; any other order leaves the state as it is."""

SUCCEEDED: Final[Mapping[tuple[CarrierAction, CarrierState], CarrierState]] = {
    ("activate", "activating"): "active",
    ("activate", "failed"): "active",
    ("suspend", "active"): "suspended",
    ("resume", "suspended"): "active",
    ("release", "activating"): "released",
    ("release", "failed"): "released",
    ("release", "active"): "released",
    ("release", "suspended"): "released",
}
"""What a success changes, late ones included; success in another state tells nothing new."""

FAILED: Final[Mapping[tuple[CarrierAction, CarrierState], CarrierState]] = {
    ("activate", "activating"): "failed",
}
"""What a final failure changes. Source: spec lifecycle, Carrier: of another action the state stays."""


class ClosedTransitionError(Exception):
    """A transition that the table does not list was attempted."""

    code = "carrier_transition_closed"

    def __init__(self, state: CarrierState, attempt: CarrierState) -> None:
        super().__init__(f"a number that is {state} at its carrier cannot become {attempt}")


def moved(state: CarrierState, to: CarrierState) -> CarrierState:
    """Go from one state to another; staying is no transition. Raises ClosedTransitionError."""
    if to != state and to not in TRANSITIONS[state]:
        raise ClosedTransitionError(state, to)
    return to
