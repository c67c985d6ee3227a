"""What others say of a DID, and what is ordered because of it."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged


def test_a_purchase_alone_orders_nothing(floor: Any, say: Any) -> None:
    """A purchase begins the routing, inactive, and says nothing to anybody."""
    floor.feed(say.purchased())
    assert floor.routing().carrier_state == "inactive"
    assert floor.said == []


@pytest.mark.parametrize("order", list(permutations(("purchased", "holding", "registration", "term"))))
def test_activation_is_ordered_once_in_whatever_order_its_grounds_come(
    floor: Any, say: Any, order: tuple[str, ...]
) -> None:
    """Purchase, holding, registration and term lead to one activation, in every order across topics."""
    floor.feed(*(getattr(say, name)() for name in order))
    assert floor.actions() == ["activate"]
    assert floor.routing().carrier_state == "activating"


def test_an_approved_number_waits_for_inventory(floor: Any, say: Any) -> None:
    """No command leaves before `did.changed` has said `assigned`."""
    floor.feed(say.purchased(), say.registration(), say.holding("porting_in", features=["voice_in"]))
    assert floor.orders() == []
    floor.feed(say.holding(sequence=2))
    assert floor.actions() == ["activate"]


def test_a_ported_number_is_activated_when_it_has_come(floor: Any, say: Any) -> None:
    """A porting begins the DID; its purchase changes nothing; `assigned` lets the activation go."""
    floor.feed(say.porting_started(), say.holding("porting_in"), say.registration("not_required"))
    assert isinstance(floor.feed(say.purchased()), Unchanged)
    floor.feed(say.holding(sequence=2))
    assert floor.actions() == ["activate"]


def test_activation_carries_the_routing_that_was_set_before(floor: Any, say: Any) -> None:
    """Trunk and capacity set before activation reach the carrier with it, and only with it."""
    floor.feed(say.purchased(), say.create_trunk(), say.set_voice(), say.set_capacity(2))
    floor.feed(say.holding(), say.registration())
    (order,) = floor.orders()
    assert (order.parameters.voice.id, order.parameters.capacity) == (say.trunk, 2)
    assert order.parameters.voice.endpoints[0].address == "sip:pbx.example.com"
    assert order.carrier == "simulator"
    assert order.deadline == say.zero + timedelta(minutes=2)
    assert order.give_up_at == say.zero + timedelta(days=7)


@pytest.mark.parametrize("older", [1, 2])
def test_an_older_word_on_an_axis_changes_nothing(floor: Any, say: Any, older: int) -> None:
    """What is not newer than the last applied one of its axis is passed over."""
    floor.feed(say.purchased(), say.registration("approved", 2))
    assert isinstance(floor.feed(say.registration("rejected", older)), Unchanged)
    assert floor.routing().registration == "approved"


def test_each_axis_has_its_own_count(floor: Any, say: Any) -> None:
    """A high sequence from billing does not hide a low one from verification or inventory."""
    floor.feed(say.purchased(), say.term(sequence=50), say.registration(sequence=1), say.holding(sequence=1))
    assert floor.actions() == ["activate"]


@pytest.mark.parametrize("stock", ["blocked", "on_hold"])
def test_block_and_hold_suspend_and_their_end_resumes(activated: Any, say: Any, stock: str) -> None:
    """An active number is suspended while its stock is stopped."""
    activated.feed(say.holding(stock, 2))
    activated.answer(say)
    assert activated.axis().carrier_state == "suspended"
    assert activated.axis().reason == stock
    activated.feed(say.holding("assigned", 3))
    activated.answer(say)
    assert activated.axis().carrier_state == "active"
    assert activated.axis().reason is None
    assert activated.actions() == ["activate", "suspend", "resume"]


@pytest.mark.parametrize("state", ["canceled", "aging"])
def test_an_ended_term_suspends_and_its_return_resumes(activated: Any, say: Any, state: str) -> None:
    """Canceled and aging terms suspend; whether it was said by term.changed or cycle.expired."""
    activated.feed(say.cycle_expired(state, 2))
    activated.answer(say)
    assert activated.routing().carrier_state == "suspended"
    activated.feed(say.term("active", 3))
    activated.answer(say)
    assert activated.routing().carrier_state == "active"


def test_a_lapsed_registration_suspends_when_its_grace_is_over(activated: Any, say: Any) -> None:
    """The number stays active until `grace_until`, to the instant, and is suspended then by the clock."""
    grace = say.zero + timedelta(days=7)
    activated.feed(say.registration("expired", 2, grace_until=grace))
    activated.wait(timedelta(days=7, seconds=-1))
    assert activated.actions() == ["activate"]
    activated.wait(timedelta(seconds=1))
    assert activated.actions() == ["activate", "suspend"]
    assert activated.axis().missing.voice == "fix_end_user_details"


def test_a_grace_that_is_over_when_it_is_heard_suspends_at_once(activated: Any, say: Any) -> None:
    """A revocation has its grace now: nothing is waited for."""
    activated.feed(say.registration("expired", 2, grace_until=say.zero))
    assert activated.actions() == ["activate", "suspend"]


def test_a_new_approval_within_the_grace_leaves_the_number_alone(activated: Any, say: Any) -> None:
    """Pending keeps the grace; approved ends the matter; the clock finds nothing to do."""
    grace = say.zero + timedelta(days=7)
    activated.feed(say.registration("expired", 2, grace_until=grace))
    activated.feed(say.registration("pending", 3, grace_until=grace), say.registration("approved", 4))
    activated.wait(timedelta(days=30))
    assert activated.actions() == ["activate"]


def test_handing_on_clears_what_belongs_to_the_account_left(activated: Any, say: Any) -> None:
    """A trunk of `master/acme` does not serve `master/other`: it is cleared, here and at the carrier."""
    activated.feed(say.holding(sequence=2, account="master/other"))
    assert activated.axis().voice is None
    assert activated.axis().account == "master/other"
    assert activated.orders()[-1].parameters.voice is None
    assert activated.actions() == ["activate", "set_voice"]


def test_handing_down_keeps_what_serves_below(activated: Any, say: Any) -> None:
    """A trunk serves the accounts below its own."""
    activated.feed(say.holding(sequence=2, account="master/acme/shop"))
    assert activated.routing().voice is not None
    assert activated.actions() == ["activate"]


def test_a_did_id_is_one_life_of_one_number(floor: Any, say: Any) -> None:
    """A purchase of another number under a known did_id is refused."""
    floor.feed(say.purchased())
    other = say.purchased(number="+35319609037")
    assert floor.take(other).code == "did_id_taken"


def test_an_order_system_speaks_for_its_own_accounts_dids_only(floor: Any, say: Any) -> None:
    """A purchase again by another account is refused; by inventory it is just a repeat."""
    floor.feed(say.purchased())
    outcome = floor.take(say.purchased(account="master/other"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


def test_the_axis_is_said_when_it_reads_differently_and_only_then(floor: Any, say: Any) -> None:
    """A registration that is awaited changes what is missing; a term that starts changes nothing to be said."""
    floor.feed(say.purchased(), say.holding(), say.registration("awaiting"))
    assert floor.axis().missing.voice == "assign_end_user_details"
    said = len(floor.said)
    assert isinstance(floor.feed(say.term()), Decided)
    assert len(floor.said) == said
