"""The end of a DID at its carrier."""

from typing import Any

import pytest

from didflow_chassis.decision import Unchanged


def test_a_refused_purchase_is_released_without_a_command(floor: Any, say: Any) -> None:
    """Nothing was ordered, so nothing is undone outside."""
    floor.feed(say.purchased(), say.registration(), say.refused())
    assert floor.routing().carrier_state == "released"
    assert floor.orders() == []
    assert floor.axis().carrier_state == "released"


def test_what_comes_for_a_refused_did_is_passed_over(floor: Any, say: Any) -> None:
    """After the refusal neither holding nor registration, term or end makes an order, or waits."""
    floor.feed(say.purchased(), say.refused())
    for late in (say.holding(), say.registration(), say.term(), say.removed(), say.purchased()):
        assert isinstance(floor.feed(late), Unchanged)
    assert floor.early == []


def test_an_active_number_is_released_by_its_carrier(activated: Any, say: Any) -> None:
    """`did.removed` orders a release; only its success says `released`."""
    activated.feed(say.removed())
    assert activated.axis().carrier_state == "active"
    assert (activated.axis().voice, activated.axis().capacity) == (None, None)
    assert activated.orders()[-1].parameters.reason == "aged_out"
    activated.answer(say)
    assert activated.axis().carrier_state == "released"
    assert activated.line.lives == ()


@pytest.mark.parametrize(("origin", "keep"), [("stock", True), ("purchased", False), ("external", False)])
def test_only_numbers_from_stock_stay_ours(floor: Any, say: Any, origin: str, keep: bool) -> None:
    """A release says whether the number goes back to stock or to the carrier."""
    floor.feed(say.purchased(), say.holding(origin=origin), say.registration())
    floor.answer(say)
    floor.feed(say.removed())
    assert floor.orders()[-1].parameters.keep is keep


def test_an_inactive_number_is_released_at_once(floor: Any, say: Any) -> None:
    """A DID that was never ordered from a carrier ends without a command."""
    floor.feed(say.purchased(), say.holding(), say.registration("awaiting"), say.removed())
    assert floor.axis().carrier_state == "released"
    assert floor.orders() == []
    assert floor.line.lives == ()


def test_a_failed_activation_is_released_by_a_command(floor: Any, say: Any) -> None:
    """What the carrier has of a failed activation is unknown: a release is sent."""
    floor.feed(say.purchased(), say.holding(), say.registration())
    floor.feed(say.failure(floor.open), say.removed())
    assert floor.actions() == ["activate", "release"]
    floor.answer(say)
    assert floor.routing().carrier_state == "released"


def test_a_release_waits_for_the_order_that_is_out(floor: Any, say: Any) -> None:
    """One command is open for a number: the release follows the activation's answer."""
    floor.feed(say.purchased(), say.holding(), say.registration(), say.removed())
    assert floor.actions() == ["activate"]
    assert [(u.action, u.state) for u in floor.axis().unapplied] == [
        ("activate", "out"),
        ("release", "queued"),
    ]
    floor.answer(say)
    assert floor.actions() == ["activate", "release"]
    assert floor.routing().carrier_state == "released"


def test_a_release_replaces_all_other_wishes(activated: Any, say: Any) -> None:
    """Wishes queued behind an open order are gone once the DID is removed."""
    activated.feed(say.set_capacity(5), say.set_capacity(6), say.holding("blocked", 2), say.removed())
    activated.answer(say)
    assert activated.actions() == ["activate", "set_capacity", "release"]


def test_the_end_is_final_for_what_is_heard(activated: Any, say: Any) -> None:
    """Nothing that is heard after `did.removed` changes the routing, however high its sequence."""
    activated.feed(say.removed())
    for late in (say.holding(sequence=90), say.registration(sequence=90), say.term(sequence=90)):
        assert isinstance(activated.feed(late), Unchanged)
    assert activated.actions() == ["activate", "release"]


def test_the_first_word_of_an_end_orders_nothing(activated: Any, say: Any) -> None:
    """A stock that says `removed` or a closed term waits for `did.removed`: no suspension in between."""
    activated.feed(say.term("closed", 2), say.holding("removed", 2))
    assert activated.actions() == ["activate"]
    activated.feed(say.removed())
    assert activated.actions() == ["activate", "release"]
