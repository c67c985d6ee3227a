"""The carrier axis: its closed table of transitions, and what sending or ending a carrier command does to it.

A transition that is not in the table raises an error in `transition`. To allow a new transition, add it here.
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
"""State -> the states that may follow it. Source: spec lifecycle, the axes."""

WHEN_SENT: Final[Mapping[tuple[CarrierAction, CarrierState], CarrierState]] = {
    ("activate", "inactive"): "activating",
    ("activate", "failed"): "activating",
}
"""(action, state) -> the state after the command is sent. For other pairs the state stays."""

WHEN_SUCCEEDED: Final[Mapping[tuple[CarrierAction, CarrierState], CarrierState]] = {
    ("activate", "activating"): "active",
    ("activate", "failed"): "active",
    ("suspend", "active"): "suspended",
    ("resume", "suspended"): "active",
    ("release", "activating"): "released",
    ("release", "failed"): "released",
    ("release", "active"): "released",
    ("release", "suspended"): "released",
}
"""(action, state) -> the state after the command succeeded, in time or late. For other pairs the state stays."""

WHEN_FAILED: Final[Mapping[tuple[CarrierAction, CarrierState], CarrierState]] = {
    ("activate", "activating"): "failed",
}
"""(action, state) -> the state after the command failed for good. For other pairs the state stays.

Source: spec lifecycle, Carrier.
"""


class ClosedTransitionError(Exception):
    """A transition was attempted that the table does not allow. This is a defect in provisioning."""

    code = "carrier_transition_closed"

    def __init__(self, state: CarrierState, attempt: CarrierState) -> None:
        super().__init__(f"A number with carrier state {state} cannot become {attempt}.")


def transition(state: CarrierState, to: CarrierState) -> CarrierState:
    """Return the new state. Staying in the same state is allowed. Raises ClosedTransitionError."""
    if to != state and to not in TRANSITIONS[state]:
        raise ClosedTransitionError(state, to)
    return to
