"""A porting: it starts, and it is completed by a purchase, fails or is canceled. By events and over HTTP."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, TooEarly, Unchanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding import commands as c


def bought(make: Any, **changes: Any) -> Any:
    """Return the purchase that completes the porting, as an event."""
    return make.purchased(acquired="ported_in", **changes)


@pytest.fixture(params=["event", "http"])
def porting(request: Any, stage: Any, make: Any) -> Any:
    """An inventory in which a number is being ported in."""
    stage.decide(make.porting_started() if request.param == "event" else make.start_porting())
    return stage


def test_a_number_that_is_being_ported_in_is_shown_at_once(porting: Any, make: Any) -> None:
    """Before verification has answered. Nobody else can have the number."""
    did = porting.did
    assert (did.holding.stock, did.holding.origin, did.listing.status) == (
        "porting_in",
        "ported_in",
        "porting_in_progress",
    )
    assert (did.listing.in_porting, porting.statuses()) == (True, ["porting_in_progress"])
    assert porting.published_data("did.changed")[0].stock == "porting_in"
    assert porting.code(make.purchase(did_id=make.other_id, order_id="o-2")) == "number_taken"


def test_the_start_is_published_only_over_http(stage: Any, make: Any, with_accounts: Any) -> None:
    """An order system has published it itself."""
    stage.decide(make.start_porting())
    assert stage.topics() == ["did.porting_started", "did.changed", "did.status_changed"]
    other = with_accounts("master", make.account)
    other.decide(make.porting_started())
    assert other.topics() == ["did.changed", "did.status_changed"]


def test_the_purchase_with_its_did_id_completes_a_porting(porting: Any, make: Any) -> None:
    """What the holder has said meanwhile is kept. A repeat changes nothing."""
    edits = c.Edits(description="Main", tags=("a",), notes="n")
    porting.decide(make.about(c.EditDid, edits=edits))
    porting.decide(make.assign_end_user())
    porting.decide(bought(make, order_id="o-9"))
    holding = porting.did.holding
    assert (holding.stock, holding.origin, holding.order_id) == ("assigned", "ported_in", "o-9")
    assert (holding.description, holding.tags, holding.notes) == ("Main", ("a",), "n")
    assert holding.assignment is not None
    assert porting.published_data("did.changed")[-1].stock == "assigned"
    assert isinstance(porting.decide(bought(make, order_id="o-9")), Unchanged)


def test_a_porting_is_completed_over_http(porting: Any, make: Any) -> None:
    """The purchase is published. The same again is unchanged."""
    assert isinstance(porting.decide(make.purchase(acquired="ported_in")), Decided)
    assert porting.did.holding.stock == "assigned"
    assert porting.topics()[-2:] == ["did.purchased", "did.changed"]
    assert isinstance(porting.decide(make.purchase(acquired="ported_in")), Unchanged)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"acquired": "purchased"}, "duplicate_order"),
        ({"acquired": "purchased", "order_id": "o-2"}, "did_id_taken"),
        ({"number": "+35319609037"}, "did_id_taken"),
        ({"account": "master/acme/shop"}, "did_id_taken"),
        ({"account": "other"}, "not_found"),
    ],
)
def test_another_purchase_does_not_complete_a_porting(
    porting: Any, make: Any, changes: Any, code: Any
) -> None:
    """It must name the number and the account, and say that the number is ported in."""
    assert porting.code(make.purchase(**({"acquired": "ported_in"} | changes))) == code
    assert porting.did.holding.stock == "porting_in"


def test_a_purchase_cannot_say_that_it_completes_a_porting_that_never_started(stage: Any, make: Any) -> None:
    """Over HTTP. Otherwise a number would be had without a price."""
    assert stage.code(make.purchase(acquired="ported_in", price=None)) == "not_found"


def test_the_did_id_of_a_foreign_porting_is_answered_like_one_that_nobody_has(
    porting: Any, make: Any
) -> None:
    """A caller cannot find out what others port in."""
    by = make.caller("other")
    bought = {"account": "other", "acquired": "ported_in", "price": None}
    foreign = porting.decide(make.purchase(by, **bought))
    absent = porting.decide(make.purchase(by, did_id=make.other_id, **bought))
    assert foreign == absent
    assert foreign.code == "not_found"


@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_a_porting_that_ends_withdraws_the_did(porting: Any, make: Any, outcome: Any) -> None:
    """The number is in no stock, and free when provisioning says so. Again, it changes nothing."""
    porting.decide(make.porting_ended(outcome))
    holding = porting.did.holding
    assert (holding.stock, holding.removal_reason) == ("removed", "porting_failed")
    assert porting.published_data("did.withdrawn")[0].reason == "porting_failed"
    assert (porting.number.did_id, porting.number.stock, porting.number.releasing) == (None, None, True)
    assert isinstance(porting.decide(make.porting_ended(outcome)), Unchanged)
    assert isinstance(porting.decide(bought(make)), Unchanged)
    assert porting.did.holding.stock == "removed"


def test_a_canceled_porting_tells_order_systems(porting: Any, make: Any) -> None:
    """Over HTTP the end is published. Again, it is unchanged; afterwards nothing else can be done."""
    porting.decide(make.about(c.CancelPorting))
    assert porting.topics()[-3:] == ["did.porting_ended", "did.changed", "did.withdrawn"]
    assert porting.published_data("did.porting_ended")[0].outcome == "canceled"
    assert isinstance(porting.decide(make.about(c.CancelPorting)), Unchanged)
    assert porting.code(make.about(c.CancelPorting, by=make.caller("other"))) == "not_found"
    assert porting.code(make.about(c.PortOut)) == "not_found"


def test_a_completed_porting_does_not_end(porting: Any, make: Any) -> None:
    """By event and over HTTP."""
    porting.decide(bought(make))
    assert porting.code(make.porting_ended()) == "porting_completed"
    assert porting.code(make.about(c.CancelPorting)) == "porting_completed"
    assert porting.did.holding.stock == "assigned"


def test_a_purchased_number_has_no_porting_to_cancel(purchased: Any, make: Any) -> None:
    """The refusal names the state."""
    assert purchased.code(make.about(c.CancelPorting)) == "wrong_stock_state"


def test_another_account_cannot_end_a_porting(porting: Any, make: Any) -> None:
    """Neither start it again nor end it nor complete it."""
    for event in (
        make.porting_started(account="other"),
        make.porting_ended(account="other"),
        bought(make, account="other"),
    ):
        assert porting.code(event) == "not_yours"
    assert porting.code(make.about(c.CancelPorting, by=make.caller("other"))) == "not_found"
    assert porting.did.holding.stock == "porting_in"


def test_a_number_in_stock_is_not_ported_in(stage: Any, make: Any) -> None:
    """It is sold from the stock. By event the other services undo what they began."""
    stage.decide(make.purchased())
    stage.change_did(origin="stock")
    stage.decide(make.removed())
    stage.decide(make.routing("released", 9))
    assert stage.number.stock == "in_stock"
    assert stage.code(make.start_porting(did_id=make.other_id, order_id="o-2")) == "number_taken"
    stage.decide(make.porting_started(did_id=make.other_id, order_id="o-3"))
    assert stage.published_data("purchase.refused")[0].code == "number_taken"
    assert stage.state(Did, make.other_id).holding.stock == "refused"


@pytest.mark.parametrize("kind", ["completed", "failed"])
def test_the_events_of_a_porting_end_the_same_in_every_order(
    with_accounts: Any, make: Any, kind: Any
) -> None:
    """They come on different topics, so each can come first."""
    last = bought(make, carrier="c-2") if kind == "completed" else make.porting_ended()
    events = [make.porting_started(carrier="c-1", region="Dublin"), last]
    ends = []
    for ordered in (events, events[::-1]):
        stage = with_accounts("master", make.account)
        first = stage.decide(ordered[0])
        stage.decide(ordered[1])
        assert isinstance(first, TooEarly) == (ordered is not events and kind == "failed")
        assert stage.parked() == []
        holding = stage.did.holding
        ends.append((holding.stock, holding.carrier, holding.region, stage.number, holding.removal_reason))
    assert ends[0] == ends[1]
    assert ends[0][0] == ("assigned" if kind == "completed" else "removed")
