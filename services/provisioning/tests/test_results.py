"""What carriers answer."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Refused, Unchanged
from didflow_contracts.events import DidActivated, RoutingChanged


@pytest.fixture
def activating(floor: Any, say: Any) -> Any:
    """A number whose activation is out."""
    floor.feed(say.purchased(), say.create_trunk(), say.holding(), say.registration())
    return floor


def test_success_puts_the_number_into_service(activating: Any, say: Any) -> None:
    """`did.activated` is said with the carrier's reference, and the whole axis after it."""
    done = say.zero + timedelta(seconds=3)
    activating.feed(say.result(activating.open, completed_at=done))
    activation, changed = activating.said[-2:]
    assert isinstance(activation, DidActivated)
    assert isinstance(changed, RoutingChanged)
    assert (activation.carrier_reference, activation.activated_at) == ("ref-1", done)
    assert activation.carrier_state == changed.carrier_state == "active"
    assert changed.unapplied == ()
    assert activating.line.open is None


def test_a_final_failure_of_an_activation_fails_the_number_with_its_reason(activating: Any, say: Any) -> None:
    """`failed` is said with code and message, and the number waits for a retry by hand."""
    activating.feed(say.failure(activating.open, code="number_unknown", message="no such number"))
    assert activating.axis().carrier_state == "failed"
    assert activating.axis().reason == "number_unknown: no such number"
    assert activating.axis().missing.voice == "retry_carrier"
    activating.wait(timedelta(days=10))
    assert len(activating.orders()) == 1


def test_a_retryable_failure_is_tried_again_as_the_same_order(activating: Any, say: Any) -> None:
    """The same command_id and parameters come again after a pause, as attempt 2 with a deadline of its own."""
    first = activating.open
    activating.feed(say.failure(first, retryable=True, code="carrier_unavailable"))
    assert activating.open.state == "waiting"
    assert activating.axis().unapplied[0].code == "carrier_unavailable"
    activating.wait(timedelta(seconds=2))
    one, two = activating.orders()
    assert (one.command_id, one.parameters) == (two.command_id, two.parameters)
    assert (two.attempt, two.give_up_at) == (2, one.give_up_at)
    assert two.deadline > one.deadline


def test_the_same_retryable_failure_again_moves_nothing(activating: Any, say: Any) -> None:
    """A failure answered twice under two ids waits as long as the first one said."""
    command = activating.open
    activating.feed(say.failure(command, retryable=True, code="busy"))
    waiting = activating.open
    activating.now += timedelta(seconds=1)
    assert isinstance(activating.feed(say.failure(command, retryable=True, code="busy")), Unchanged)
    assert activating.open == waiting


def test_a_late_word_of_how_long_to_wait_is_kept(activating: Any, say: Any) -> None:
    """After the deadline the attempt waits; the carrier that then asks for time is given it."""
    command = activating.open
    activating.wait(timedelta(minutes=2))
    activating.feed(say.failure(command, retryable=True, code="rate_limited", retry_after_s=600))
    activating.wait(timedelta(seconds=599))
    assert len(activating.orders()) == 1


def test_a_carrier_that_asks_for_time_is_not_asked_before(activating: Any, say: Any) -> None:
    """`retry_after_s` is kept."""
    activating.feed(say.failure(activating.open, retryable=True, retry_after_s=600))
    activating.wait(timedelta(seconds=599))
    assert len(activating.orders()) == 1
    activating.wait(timedelta(seconds=100))
    assert len(activating.orders()) == 2


def test_a_failure_of_an_earlier_attempt_is_passed_over(activating: Any, say: Any) -> None:
    """Once attempt 2 is out, a retryable failure of attempt 1 says nothing about it."""
    first = activating.open
    activating.wait(timedelta(minutes=3))
    assert activating.open.attempt == 2
    assert isinstance(activating.feed(say.failure(first, retryable=True)), Unchanged)
    assert activating.open.state == "out"


def test_a_success_of_an_earlier_attempt_counts(activating: Any, say: Any) -> None:
    """It is the same order: what attempt 1 did is done."""
    first = activating.open
    activating.wait(timedelta(minutes=3))
    activating.feed(say.result(first))
    assert activating.axis().carrier_state == "active"


def test_a_result_of_another_setting_leaves_the_state_and_says_unapplied(activated: Any, say: Any) -> None:
    """A final failure of set_capacity keeps the number active, as set, with the failure shown."""
    activated.feed(say.set_capacity(5))
    activated.feed(say.failure(activated.open, code="bad_request"))
    axis = activated.axis()
    assert (axis.carrier_state, axis.capacity) == ("active", 5)
    assert [(u.action, u.state, u.code) for u in axis.unapplied] == [
        ("set_capacity", "failed", "bad_request")
    ]
    assert axis.voice_ready


def test_an_unknown_command_is_refused(activating: Any, say: Any) -> None:
    """A result for no order of ours is refused by its code, never parked."""
    stray = say.result(activating.open, command_id=say.next)
    assert activating.feed(stray) == Refused("command_unknown", "no order of this number has this command_id")
    nobodys = say.result(activating.open, did_id=say.next)
    assert isinstance(activating.feed(nobodys), Refused)
    assert activating.early == []


def test_a_result_for_another_account_is_refused(activating: Any, say: Any) -> None:
    """Carriers are outside: an account that contradicts the order's is `not_yours`."""
    outcome = activating.feed(say.result(activating.open, account="master/else"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


def test_a_number_handed_down_meanwhile_takes_the_result_of_its_former_account(
    activating: Any, say: Any
) -> None:
    """The adapter echoes the account of the order, which may have moved since."""
    command = activating.open
    activating.feed(say.holding(sequence=2, account="master/acme/shop"), say.result(command))
    assert activating.axis().carrier_state == "active"


def test_the_same_success_under_another_id_is_a_repeat(activating: Any, say: Any) -> None:
    """What succeeded and is answered again changes nothing."""
    command = activating.open
    activating.feed(say.result(command))
    said = len(activating.said)
    assert isinstance(activating.feed(say.result(command)), Unchanged)
    assert isinstance(activating.feed(say.failure(command)), Unchanged)
    assert len(activating.said) == said


def test_a_late_success_of_a_failed_activation_counts(activating: Any, say: Any) -> None:
    """Failed for good and then done after all: the number is active, and said to be."""
    command = activating.open
    activating.feed(say.failure(command), say.result(command))
    assert activating.axis().carrier_state == "active"
    assert activating.axis().unapplied == ()
    assert isinstance(activating.said[-2], DidActivated)


def test_after_a_late_success_what_is_wanted_is_restored(activated: Any, say: Any) -> None:
    """A suspension given up on succeeds when it is no longer wanted: the number is resumed."""
    activated.feed(say.holding("blocked", 2))
    suspension = activated.open
    activated.feed(say.failure(suspension), say.holding("assigned", 3))
    assert activated.axis().unapplied == ()
    activated.feed(say.result(suspension))
    assert activated.axis().carrier_state == "suspended"
    activated.answer(say)
    assert activated.axis().carrier_state == "active"
    assert activated.actions() == ["activate", "suspend", "resume"]


def test_a_late_success_of_an_old_setting_is_set_right(activated: Any, say: Any) -> None:
    """An old capacity that is applied after a newer one is ordered over again."""
    activated.feed(say.set_capacity(5))
    old = activated.open
    activated.feed(say.failure(old), say.set_capacity(6))
    activated.answer(say)
    activated.feed(say.result(old))
    assert activated.orders()[-1].parameters.capacity == 6
    activated.answer(say)
    assert activated.axis().unapplied == ()


def test_a_late_activation_of_a_removed_did_is_not_announced(activating: Any, say: Any) -> None:
    """The activation of a DID that is gone is known, released, and no order system hears of it."""
    activating.feed(say.removed(), say.result(activating.open))
    assert not any(isinstance(said, DidActivated) for said in activating.said)
    activating.answer(say)
    assert activating.axis().carrier_state == "released"


def test_nothing_revives_a_released_number(activated: Any, say: Any) -> None:
    """A success that comes after the release is noted on its order and changes no state."""
    activated.feed(say.set_capacity(5))
    old = activated.open
    activated.feed(say.failure(old), say.removed())
    activated.answer(say)
    before = activated.routing()
    activated.feed(say.result(old))
    assert activated.routing() == before
    assert activated.states[type(old), old.command_id].state == "succeeded"


def test_what_was_wished_while_an_order_was_out_follows_it(activating: Any, say: Any) -> None:
    """Settings made during activation are ordered one after another, newest wishes only."""
    activating.feed(say.set_voice(), say.set_capacity(1), say.set_capacity(2))
    assert [(u.action, u.state) for u in activating.axis().unapplied] == [
        ("activate", "out"),
        ("set_voice", "queued"),
        ("set_capacity", "queued"),
    ]
    activating.answer(say)
    assert activating.actions() == ["activate", "set_voice", "set_capacity"]
    assert activating.orders()[-1].parameters.capacity == 2
    assert activating.axis().voice_ready


def test_messages_of_another_carrier_are_ordered_there_after_activation(
    floor: Any, say: Any, later: Any
) -> None:
    """Where another carrier has the messages, activation carries no SMS target: set_sms goes to that carrier."""
    from didflow_contracts.events.carrier import SmsDelivery
    from didflow_provisioning.domain.routing import Routing, Sms

    floor.feed(say.purchased(), say.holding(sms_carrier="texts"))
    sms = Sms(account=say.account, delivery=SmsDelivery(id=say.next, name="Inbox"))
    floor.states[Routing, say.did] = later(floor.routing(), sms=sms)
    floor.feed(say.registration())
    assert floor.orders()[-1].parameters.sms is None
    floor.answer(say)
    assert (floor.orders()[-1].action, floor.orders()[-1].carrier) == ("set_sms", "texts")
    assert floor.routing().applied.sms == sms.delivery
