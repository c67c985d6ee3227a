"""The events that inventory publishes."""

from typing import Any

import pytest
from msgspec.structs import replace

from didflow_inventory.domain.events import did_changed


@pytest.mark.parametrize("held_by", ["package", "hand"])
def test_did_changed_says_who_put_the_did_on_hold(purchased: Any, make: Any, held_by: Any) -> None:
    """`held_by` is package or hand, and null while the DID is not on hold."""
    assert did_changed(purchased.did.holding).held_by is None

    on_hold = replace(purchased.did.holding, stock="on_hold", held_by=held_by, until=make.zero)
    assert did_changed(on_hold).wire()["held_by"] == held_by


def test_a_refused_did_has_no_stock_axis_to_publish(stage: Any, make: Any) -> None:
    """Building the event is a defect in the code and raises an error."""
    stage.decide(make.purchased(account="master/nobody"))
    with pytest.raises(ValueError, match="no stock axis"):
        did_changed(stage.did.holding)
