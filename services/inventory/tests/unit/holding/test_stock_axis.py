"""The stock axis of a DID is a closed table: what it does not list is refused, or is a defect."""

from typing import Any

import pytest

from didflow_chassis.decision import Refused
from didflow_inventory.domain.holding import Stock
from didflow_inventory.domain.holding.stock_axis import (
    TABLE,
    ForbiddenTransitionError,
    moved,
    refusal_of_step,
)

SPECIFIED: dict[Stock | None, set[str]] = {
    None: {"porting_in", "assigned"},
    "porting_in": {"assigned", "removed"},
    "assigned": {"blocked", "on_hold", "removed"},
    "blocked": {"assigned", "on_hold", "removed"},
    "on_hold": {"assigned", "blocked", "removed"},
}
STATES = ("porting_in", "assigned", "blocked", "on_hold", "removed", "refused")


def test_the_table_is_that_of_the_specification() -> None:
    """Source: spec lifecycle, The axes and their closed tables."""
    found: dict[Stock | None, set[str]] = {}
    for transition in TABLE.values():
        for before in transition.before:
            found.setdefault(before, set()).update(transition.after)
    assert found == SPECIFIED


@pytest.mark.parametrize("step", TABLE)
def test_a_step_that_is_not_listed_is_refused_with_state_and_attempt(purchased: Any, step: Any) -> None:
    """The message names both, and a decision that goes on all the same fails."""
    for stock in STATES:
        refusal = refusal_of_step(step, stock)
        assert (refusal is None) == (stock in TABLE[step].before)
        if isinstance(refusal, Refused):
            assert refusal.code == "wrong_stock_state"
            assert stock in refusal.message
            assert step in refusal.message
            purchased.change_did(stock=stock)
            with pytest.raises(ForbiddenTransitionError):
                moved(purchased.did.holding, step, min(TABLE[step].after))
