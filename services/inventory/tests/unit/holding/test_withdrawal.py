"""Port-out and return: the DID ends at once, and the number goes where it belongs."""

from typing import Any

import pytest

from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.stock.number import Number


@pytest.mark.parametrize("stock", ["assigned", "blocked", "on_hold"])
def test_a_number_that_was_ported_out_is_in_no_stock(purchased: Any, make: Any, stock: Any) -> None:
    """Wherever it came from."""
    purchased.change_did(stock=stock, origin="stock")
    purchased.store(Number(number=make.number, did_id=make.did_id, uploaded_by=make.account))
    purchased.decide(make.about(c.PortOut))

    assert (purchased.did.holding.stock, purchased.did.holding.removal_reason) == ("removed", "ported_out")
    assert (purchased.number.stock, purchased.number.uploaded_by) == (None, None)
    assert purchased.number.releasing
    assert purchased.topics()[-2:] == ["did.changed", "did.withdrawn"]
    assert purchased.code(make.about(c.PortOut)) == "not_found"


def test_only_a_number_from_stock_returns_to_the_stock(purchased: Any, make: Any) -> None:
    """And only while no user has it."""
    assert purchased.code(make.about(c.ReturnDid)) == "not_from_stock"
    purchased.change_did(origin="stock", user="u-1")
    purchased.store(Number(number=make.number, did_id=make.did_id, uploaded_by="master"))
    assert purchased.code(make.about(c.ReturnDid)) == "in_use"
    purchased.change_did(user=None)
    assert purchased.code(make.about(c.ReturnDid)) is None
    assert (purchased.number.stock, purchased.number.uploaded_by) == ("in_stock", "master")
    assert purchased.published_data("did.withdrawn")[0].reason == "returned"


def test_a_number_that_is_being_ported_in_is_not_ported_out(purchased: Any, make: Any) -> None:
    """Its porting is canceled instead."""
    purchased.change_did(stock="porting_in", origin="stock")
    assert purchased.code(make.about(c.PortOut)) == "wrong_stock_state"
    assert purchased.code(make.about(c.ReturnDid)) == "wrong_stock_state"


def test_a_did_that_was_withdrawn_has_a_closed_term_and_no_status(purchased: Any, make: Any) -> None:
    """My Numbers does not show it any more."""
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.term("active"))
    purchased.decide(make.about(c.PortOut))
    did = purchased.did
    assert (did.views.term.state, did.listing.status, did.listing.in_all) == ("closed", None, False)
