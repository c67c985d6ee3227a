"""The closed table of a number in stock, and what becomes of a number when its DID is removed."""

from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest

from didflow_chassis.decision import Refused, Unchanged
from didflow_inventory.domain.holding.commands import EditDid, Edits
from didflow_inventory.domain.stock.number import Number, StockStatus
from didflow_inventory.domain.stock.transitions import as_of, moved

STATES = get_args(StockStatus)
LISTED = {
    ("in_stock", "reserved"),
    ("reserved", "in_stock"),
    ("in_stock", "archived"),
    ("archived", "in_stock"),
    ("in_stock", "held"),
    ("held", "in_stock"),
}


@pytest.mark.parametrize(("before", "after"), [*product(STATES, STATES)])
def test_only_the_listed_transitions_of_a_number_in_stock_are_taken(
    make: Any, before: Any, after: Any
) -> None:
    """The repeat of the last one changes nothing, and a refusal names the state."""
    result = moved(Number(number=make.number, stock=before, uploaded_by="master"), after, make.zero)

    if (before, after) in LISTED:
        assert isinstance(result, Number)
        assert result.stock == after
    elif before == after:
        assert isinstance(result, Unchanged)
    else:
        assert isinstance(result, Refused)
        assert before in result.message


def test_a_held_number_is_in_stock_from_the_instant_at_which_its_reservation_ends(make: Any) -> None:
    """A second before, it is still held. The timer need not have run."""
    held = Number(
        number=make.number, stock="held", uploaded_by="master", held_for="master/acme", until=make.zero
    )

    assert as_of(held, make.zero - timedelta(seconds=1)).stock == "held"
    assert as_of(held, make.zero) == Number(number=make.number, stock="in_stock", uploaded_by="master")


@pytest.mark.parametrize("after_hold", ["in_stock", "reserved", "archived"])
def test_the_number_of_a_hold_that_ran_out_comes_back_in_the_state_after_hold(
    stage: Any, make: Any, after_hold: Any
) -> None:
    """It is not simply in stock again."""
    stage.store(Number(number=make.number, stock="in_stock", uploaded_by="master"))
    stage.decide(make.purchased())
    stage.change_did(stock="on_hold", after_hold=after_hold, held_by="hand", until=make.zero)
    stage.decide(make.removed(reason="hold_ended"))

    assert stage.number.stock == after_hold


def test_a_number_that_returns_keeps_the_carrier_of_what_its_did_did_not_use(stage: Any, make: Any) -> None:
    """Its features are those of the uploader, and each of them has its carrier."""
    stage.store(
        Number(
            number=make.number,
            stock="in_stock",
            uploaded_by="master",
            features=("voice_in", "sms_in"),
            carrier="net",
            sms_carrier="texts",
        )
    )
    stage.decide(make.purchased())
    stage.decide(make.about(EditDid, edits=Edits(features=("voice_in",))))
    assert (stage.did.holding.carrier, stage.did.holding.sms_carrier) == ("net", None)
    stage.decide(make.removed(reason="returned"))

    number = stage.number
    assert (number.features, number.carrier, number.sms_carrier) == (("voice_in", "sms_in"), "net", "texts")


def test_a_number_that_was_ported_out_is_in_no_stock(stage: Any, make: Any) -> None:
    """Nothing is left of what its uploader said about it."""
    stage.store(Number(number=make.number, stock="in_stock", uploaded_by="master", tag="gold"))
    stage.decide(make.purchased())
    stage.decide(make.removed(reason="ported_out"))

    assert (stage.number.stock, stage.number.uploaded_by, stage.number.tag) == (None, None, None)


@pytest.mark.parametrize("account", ["master/acme", "master/acme/shop"])
def test_a_number_that_a_reservation_holds_is_sold_to_the_reserver_alone(
    stage: Any, make: Any, account: str
) -> None:
    """Also not to an account below the reserver."""
    number = Number(
        number=make.number,
        stock="held",
        uploaded_by="master",
        held_for="master/acme",
        until=make.zero + timedelta(minutes=30),
    )
    stage.store(number)
    stage.decide(make.purchased(account=account))

    refused = account != "master/acme"
    assert ("purchase.refused" in stage.topics()) is refused
    assert stage.number.stock == ("held" if refused else None)


def test_the_did_of_a_number_in_stock_has_its_carriers_and_its_tag(stage: Any, make: Any) -> None:
    """What the purchase names comes first."""
    number = Number(
        number=make.number,
        stock="in_stock",
        uploaded_by="master",
        carrier="net",
        sms_carrier="texts",
        tag="gold",
    )
    stage.store(number)
    stage.decide(make.purchased(carrier="other"))

    holding = stage.did.holding
    assert (holding.carrier, holding.sms_carrier, holding.tags) == ("other", "texts", ("gold",))
    stage.decide(make.registration("awaiting", area="Dublin"))
    stage.decide(make.removed())
    number = stage.number
    assert (number.stock, number.carrier, number.tag, number.region) == (
        "in_stock",
        "other",
        "gold",
        "Dublin",
    )
