"""The carrier axis is a closed table."""

from itertools import product
from typing import get_args

import pytest

from didflow_contracts.vocabulary import CarrierState
from didflow_provisioning.domain.carrier import FAILED, SENT, SUCCEEDED, ClosedTransitionError, moved

STATES: tuple[CarrierState, ...] = get_args(CarrierState)
LISTED = {
    ("inactive", "activating"),
    ("activating", "active"),
    ("activating", "failed"),
    ("failed", "activating"),
    ("failed", "active"),
    ("active", "suspended"),
    ("suspended", "active"),
} | {(state, "released") for state in STATES}


@pytest.mark.parametrize(("state", "to"), list(product(STATES, STATES)))
def test_only_what_is_listed_can_happen(state: CarrierState, to: CarrierState) -> None:
    """Of all pairs the listed ones pass, staying is no transition, every other is refused by its names."""
    if (state, to) in LISTED or state == to:
        assert moved(state, to) == to
        return
    with pytest.raises(ClosedTransitionError, match=f"is {state} .* become {to}"):
        moved(state, to)


def test_orders_change_the_state_only_along_the_table() -> None:
    """What leaving, success and failure of orders do to the state are listed transitions, and all of them."""
    made = {(state, to) for table in (SENT, SUCCEEDED, FAILED) for (_, state), to in table.items()}
    at_once = {("inactive", "released"), ("released", "released")}
    assert made | at_once == LISTED
