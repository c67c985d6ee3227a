"""Wishes that come over HTTP."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged


def test_set_before_activation_nothing_is_ordered(floor: Any, say: Any) -> None:
    """The wish is kept and said, and goes along with the activation."""
    floor.feed(say.purchased(), say.create_trunk(), say.holding())
    floor.feed(say.set_voice(), say.set_capacity("unlimited"))
    assert floor.orders() == []
    axis = floor.axis()
    assert (axis.voice.id, axis.voice.kind, axis.voice.name) == (say.trunk, "trunk", "Dublin")
    assert axis.capacity == "unlimited"
    assert axis.unapplied == ()


@pytest.mark.parametrize("capacity", [0, 1, 30, "unlimited", None])
def test_a_change_after_activation_is_ordered(activated: Any, say: Any, capacity: Any) -> None:
    """Every capacity, also none and zero, reaches the carrier by an order of its own."""
    activated.feed(say.set_capacity(capacity))
    assert activated.orders()[-1].parameters.capacity == capacity
    activated.answer(say)
    assert activated.routing().applied.capacity == capacity
    assert activated.axis().voice_ready is (capacity not in (0, None))


def test_the_same_wish_again_changes_nothing(activated: Any, say: Any) -> None:
    """Setting what is set already orders nothing."""
    assert isinstance(activated.feed(say.set_capacity(2)), Unchanged)
    assert isinstance(activated.feed(say.set_voice()), Unchanged)
    assert activated.actions() == ["activate"]


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_trunk_serves_its_account_and_those_below(floor: Any, say: Any, account: str) -> None:
    """A trunk of a sibling, or of an account below the DID's, is not found."""
    floor.feed(say.purchased(), say.create_trunk(account, role="operator"))
    outcome = floor.feed(say.set_voice(role="operator"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("voice_trunk_not_found", "voice_trunk_id")


def test_a_trunk_above_serves_the_did(floor: Any, say: Any) -> None:
    """A reseller's trunk is used by the accounts below it."""
    floor.feed(say.purchased(), say.create_trunk("master", role="operator"))
    assert isinstance(floor.feed(say.set_voice()), Decided)


def test_a_did_beyond_the_caller_is_not_found(activated: Any, say: Any) -> None:
    """Another tree's caller learns nothing of the number."""
    for wish in (say.set_voice(account="master/other"), say.set_capacity(9, account="master/other")):
        outcome = activated.feed(wish)
        assert isinstance(outcome, Refused)
        assert outcome.code == "not_found"


def test_a_removed_did_takes_no_wishes(activated: Any, say: Any) -> None:
    """What is gone cannot be configured."""
    activated.feed(say.removed())
    assert activated.feed(say.set_capacity(9)).code == "not_found"


def test_a_failed_activation_is_retried_as_a_new_command(floor: Any, say: Any) -> None:
    """Retry by hand makes another command_id, and the number is activating again."""
    floor.feed(say.purchased(), say.holding(), say.registration())
    failed = floor.open
    floor.feed(say.failure(failed))
    outcome = floor.feed(say.retry(failed.command_id))
    assert outcome.answer == floor.open.command_id != failed.command_id
    assert floor.axis().carrier_state == "activating"
    assert floor.axis().reason is None


def test_a_failed_activation_waits_for_a_retry_also_when_its_grounds_come_anew(floor: Any, say: Any) -> None:
    """Blocked and unblocked, the number stays failed: nothing is ordered, and the retry still works."""
    floor.feed(say.purchased(), say.holding(), say.registration())
    failed = floor.open
    floor.feed(say.failure(failed), say.holding("blocked", 2), say.holding("assigned", 3))
    assert floor.actions() == ["activate"]
    floor.feed(say.retry(failed.command_id))
    assert floor.actions() == ["activate", "activate"]


def test_a_late_success_of_the_failed_one_counts_while_its_retry_is_out(floor: Any, say: Any) -> None:
    """Both orders may succeed; the number is active once, and announced once."""
    floor.feed(say.purchased(), say.holding(), say.registration())
    failed = floor.open
    floor.feed(say.failure(failed), say.retry(failed.command_id), say.result(failed))
    assert floor.axis().carrier_state == "active"
    floor.feed(say.failure(floor.open, code="rejected"))
    assert floor.axis().carrier_state == "active"
    assert floor.axis().unapplied == ()
    assert sum(type(said).__name__ == "DidActivated" for said in floor.said) == 1


def test_only_what_failed_for_good_is_retried(activated: Any, say: Any) -> None:
    """What succeeded, is open or is unknown is refused `not_failed`."""
    done = activated.orders()[0].command_id
    activated.feed(say.set_capacity(9))
    for command_id in (done, activated.open.command_id, say.next):
        assert activated.feed(say.retry(command_id)).code == "not_failed"


def test_a_retried_setting_takes_its_turn(activated: Any, say: Any) -> None:
    """Behind an open order a retry is queued; the answer names no command yet."""
    activated.feed(say.set_capacity(9))
    failed = activated.open
    activated.feed(say.failure(failed), say.holding("blocked", 2))
    assert activated.open.action == "suspend"
    assert activated.feed(say.retry(failed.command_id)).answer is None
    activated.answer(say)
    assert activated.actions() == ["activate", "set_capacity", "suspend", "set_capacity"]


def test_another_wish_of_the_kind_ends_its_failure(activated: Any, say: Any) -> None:
    """A new capacity is ordered although an earlier one failed."""
    activated.feed(say.set_capacity(9))
    activated.feed(say.failure(activated.open), say.set_capacity(8))
    assert activated.axis().unapplied[0].state == "out"
    activated.answer(say)
    assert activated.axis().unapplied == ()


def test_clearing_takes_everything_away(activated: Any, say: Any) -> None:
    """Voice and capacity are taken away, here and at the carrier."""
    from didflow_provisioning.domain.commands import Clear

    activated.feed(Clear(**say._wish(say.did)))
    activated.answer(say)
    assert activated.actions() == ["activate", "set_voice", "set_capacity"]
    assert activated.axis().missing.voice == "assign_voice_trunk"
