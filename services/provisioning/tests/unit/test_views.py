"""The views of other services' axes, and the carrier commands that follow from them."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged


@pytest.mark.parametrize("order", list(permutations(("purchased", "did_changed", "registration", "term"))))
def test_a_number_is_activated_once_in_every_order_of_events(
    stage: Any, messages: Any, order: tuple[str, ...]
) -> None:
    """Purchase, holding, registration and term lead to one activation, in whatever order they arrive."""
    stage.process(*(getattr(messages, name)() for name in order))
    assert stage.actions() == ["activate"]
    assert stage.routing().carrier_state == "activating"


def test_no_command_is_sent_before_inventory_assigns_the_number(stage: Any, messages: Any) -> None:
    """An approved number waits for `did.changed` with `assigned`."""
    stage.process(messages.purchased(), messages.registration(), messages.did_changed("porting_in"))
    assert stage.issued() == []
    stage.process(messages.did_changed(sequence=2))
    assert stage.actions() == ["activate"]


def test_a_ported_number_is_activated_when_it_is_assigned(stage: Any, messages: Any) -> None:
    """A porting creates the routing. The later purchase changes nothing. `assigned` starts the activation."""
    stage.process(messages.porting_started(), messages.did_changed("porting_in"))
    stage.process(messages.registration("not_required"))
    assert isinstance(stage.process(messages.purchased()), Unchanged)
    stage.process(messages.did_changed(sequence=2))
    assert stage.actions() == ["activate"]


def test_an_activation_contains_the_routing_that_was_set_before(stage: Any, messages: Any) -> None:
    """A trunk and a capacity that were set before the activation reach the carrier with it only."""
    stage.process(messages.purchased(), messages.create_voice_trunk(), messages.set_voice())
    stage.process(messages.set_capacity(2), messages.did_changed(), messages.registration())
    (command,) = stage.issued()
    assert (command.parameters.voice.id, command.parameters.capacity) == (messages.trunk_id, 2)
    assert command.parameters.voice.endpoints[0].address == "sip:pbx.example.com"
    assert command.carrier == "simulator"
    assert command.deadline == messages.start + timedelta(minutes=2)
    assert command.give_up_at == messages.start + timedelta(days=7)


def test_an_older_event_of_an_axis_changes_nothing(stage: Any, messages: Any) -> None:
    """An event with a lower sequence than the last applied one is outdated."""
    stage.process(messages.purchased(), messages.registration("approved", 2))
    assert isinstance(stage.process(messages.registration("rejected", 1)), Unchanged)
    assert stage.routing().registration == "approved"


def test_each_source_has_its_own_sequence(stage: Any, messages: Any) -> None:
    """A high sequence of billing does not hide a low one of verification or inventory."""
    stage.process(messages.purchased(), messages.term(sequence=50))
    stage.process(messages.registration(sequence=1), messages.did_changed(sequence=1))
    assert stage.actions() == ["activate"]


@pytest.mark.parametrize("stock", ["blocked", "on_hold"])
def test_block_and_hold_suspend_a_number(active: Any, messages: Any, stock: str) -> None:
    """The end of the block or hold resumes it."""
    active.process(messages.did_changed(stock, 2))
    active.succeed_all(messages)
    assert active.axis().carrier_state == "suspended"
    assert active.axis().reason == stock
    active.process(messages.did_changed("assigned", 3))
    active.succeed_all(messages)
    assert active.axis().carrier_state == "active"
    assert active.axis().reason is None
    assert active.actions() == ["activate", "suspend", "resume"]


@pytest.mark.parametrize("state", ["canceled", "aging"])
def test_a_canceled_or_aging_term_suspends_a_number(active: Any, messages: Any, state: str) -> None:
    """An active term resumes it. Both `term.changed` and `cycle.expired` carry the term."""
    active.process(messages.cycle_expired(state, 2))
    active.succeed_all(messages)
    assert active.routing().carrier_state == "suspended"
    active.process(messages.term("active", 3))
    active.succeed_all(messages)
    assert active.routing().carrier_state == "active"


def test_an_expired_registration_suspends_a_number_when_its_grace_period_ends(
    active: Any, messages: Any
) -> None:
    """The number stays active until `grace_until`, to the second."""
    grace_until = messages.start + timedelta(days=7)
    active.process(messages.registration("expired", 2, grace_until=grace_until))
    active.advance(timedelta(days=7, seconds=-1))
    assert active.actions() == ["activate"]
    active.advance(timedelta(seconds=1))
    assert active.actions() == ["activate", "suspend"]
    assert active.axis().missing.voice == "fix_end_user_details"


def test_a_grace_period_that_is_over_on_arrival_suspends_at_once(active: Any, messages: Any) -> None:
    """The grace period of a revocation ends at the revocation."""
    active.process(messages.registration("expired", 2, grace_until=messages.start))
    assert active.actions() == ["activate", "suspend"]


def test_an_approval_within_the_grace_period_changes_nothing_at_the_carrier(
    active: Any, messages: Any
) -> None:
    """Pending details keep the grace period. After the approval no timer is left."""
    grace_until = messages.start + timedelta(days=7)
    active.process(messages.registration("expired", 2, grace_until=grace_until))
    active.process(messages.registration("pending", 3, grace_until=grace_until))
    active.process(messages.registration("approved", 4))
    active.advance(timedelta(days=30))
    assert active.actions() == ["activate"]


def test_a_new_holder_loses_the_targets_of_the_account_that_was_left(active: Any, messages: Any) -> None:
    """A trunk of `master/acme` does not serve `master/other`. It is cleared here and at the carrier."""
    active.process(messages.did_changed(sequence=2, account="master/other"))
    assert active.axis().voice is None
    assert active.axis().account == "master/other"
    assert active.issued()[-1].parameters.voice is None
    assert active.actions() == ["activate", "set_voice"]


def test_a_new_holder_below_keeps_the_targets(active: Any, messages: Any) -> None:
    """A trunk serves the accounts below its own."""
    active.process(messages.did_changed(sequence=2, account="master/acme/shop"))
    assert active.routing().voice is not None
    assert active.actions() == ["activate"]


def test_the_axis_is_published_only_when_it_differs(stage: Any, messages: Any) -> None:
    """An awaited registration changes what is missing. The start of a term changes nothing in the axis."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration("awaiting"))
    assert stage.axis().missing.voice == "assign_end_user_details"
    published = len(stage.events)
    assert isinstance(stage.process(messages.term()), Decided)
    assert len(stage.events) == published
