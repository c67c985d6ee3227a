"""The carrier axis is a closed table of transitions."""

from itertools import product
from typing import get_args

import pytest

from didflow_contracts.vocabulary import CarrierState
from didflow_provisioning.domain.carrier_state import (
    WHEN_FAILED,
    WHEN_SENT,
    WHEN_SUCCEEDED,
    ClosedTransitionError,
    transition,
)

STATES: tuple[CarrierState, ...] = get_args(CarrierState)
ALLOWED = {
    ("inactive", "activating"),
    ("activating", "active"),
    ("activating", "failed"),
    ("failed", "activating"),
    ("failed", "active"),
    ("active", "suspended"),
    ("suspended", "active"),
} | {(state, "released") for state in STATES}


@pytest.mark.parametrize(("state", "to"), list(product(STATES, STATES)))
def test_only_the_transitions_of_the_table_are_allowed(state: CarrierState, to: CarrierState) -> None:
    """Every pair of states is tried. Staying in a state is allowed. An error names both states."""
    if (state, to) in ALLOWED or state == to:
        assert transition(state, to) == to
        return
    with pytest.raises(ClosedTransitionError, match=f"state {state} cannot become {to}"):
        transition(state, to)


def test_carrier_commands_use_exactly_the_transitions_of_the_table() -> None:
    """Sending, success and failure of commands cause every transition of the table and no other."""
    tables = (WHEN_SENT, WHEN_SUCCEEDED, WHEN_FAILED)
    caused = {(state, to) for table in tables for (_, state), to in table.items()}
    without_command = {("inactive", "released"), ("released", "released")}
    assert caused | without_command == ALLOWED
