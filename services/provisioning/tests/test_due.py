"""What the clock does: deadlines, pauses, and giving up."""

from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def silent(floor: Any, say: Any) -> Any:
    """A number whose carrier never answers its activation."""
    floor.feed(say.purchased(), say.holding(), say.registration())
    return floor


def test_an_unanswered_attempt_is_made_again_after_its_deadline(silent: Any) -> None:
    """At two minutes the attempt counts as failed; the same order follows after a pause."""
    silent.wait(timedelta(minutes=2) - timedelta(microseconds=1))
    assert silent.open.state == "out"
    silent.wait(timedelta(microseconds=1))
    assert (silent.open.state, silent.open.code) == ("waiting", "no_answer")
    silent.wait(timedelta(seconds=2))
    first, second = silent.orders()
    assert first.command_id == second.command_id
    assert second.attempt == 2


def test_an_activation_is_given_up_after_seven_days(silent: Any, say: Any) -> None:
    """To the instant: a second before it is still tried, then the number is failed with its reason."""
    silent.wait(timedelta(days=7, seconds=-1))
    assert silent.routing().carrier_state == "activating"
    silent.wait(timedelta(seconds=1))
    assert silent.axis().carrier_state == "failed"
    assert silent.axis().reason.startswith("no_answer")
    assert silent.line.due_at is None
    assert silent.axis().unapplied[0].code == "no_answer"
    assert 100 < len(silent.orders()) < 250


def test_every_other_order_is_given_up_after_a_day(activated: Any, say: Any) -> None:
    """A suspension that nobody answers stays unapplied; the number stays active as far as is known."""
    activated.feed(say.holding("blocked", 2))
    activated.wait(timedelta(hours=24))
    assert activated.axis().carrier_state == "active"
    assert [(u.action, u.state) for u in activated.axis().unapplied] == [("suspend", "failed")]


def test_a_release_is_sent_in_place_of_further_attempts(silent: Any, say: Any) -> None:
    """Whether the carrier did it is unknown after a timeout: the release is sent anyway, not a week later."""
    silent.feed(say.removed())
    assert silent.actions() == ["activate"]
    silent.wait(timedelta(minutes=2))
    assert silent.actions() == ["activate", "release"]
    assert len(silent.orders()) == 2


def test_a_release_takes_the_place_of_an_order_that_is_to_be_tried_again(silent: Any, say: Any) -> None:
    """A retryable failure of an order whose DID is gone is not tried again."""
    silent.feed(say.removed(), say.failure(silent.open, retryable=True))
    assert silent.actions() == ["activate", "release"]


def test_a_release_itself_is_tried_until_it_is_given_up(silent: Any, say: Any) -> None:
    """A release is retried like any order, and its failure stays visible on the number."""
    silent.feed(say.removed())
    silent.wait(timedelta(days=2))
    assert silent.routing().carrier_state == "activating"
    assert [(u.action, u.state) for u in silent.axis().unapplied] == [("release", "failed")]
    silent.feed(say.result(silent.orders()[-1]))
    assert silent.axis().carrier_state == "released"


def test_a_success_after_giving_up_counts(silent: Any, say: Any) -> None:
    """Seven days and an hour late: the number is active."""
    command = silent.open
    silent.wait(timedelta(days=7, hours=1))
    silent.feed(say.result(command))
    assert silent.axis().carrier_state == "active"


def test_the_clock_is_quiet_when_nothing_is_open(activated: Any) -> None:
    """A year passes over an active number without a word."""
    said = len(activated.said)
    activated.wait(timedelta(days=365))
    assert len(activated.said) == said
    assert activated.line.due_at is None


def test_a_grace_that_ends_while_an_order_is_out_is_served_after_it(activated: Any, say: Any) -> None:
    """The suspension waits its turn on the line."""
    activated.feed(say.registration("expired", 2, grace_until=say.zero + timedelta(seconds=30)))
    activated.feed(say.set_capacity(5))
    activated.wait(timedelta(seconds=30))
    assert activated.actions() == ["activate", "set_capacity"]
    assert (activated.open.state, activated.open.attempt) == ("out", 1)
    assert ("suspend", "queued") in [(u.action, u.state) for u in activated.axis().unapplied]
    activated.answer(say)
    assert activated.actions() == ["activate", "set_capacity", "suspend"]


def test_a_grace_that_ends_over_a_number_that_is_not_active_orders_nothing(floor: Any, say: Any) -> None:
    """The line is looked at once, has nothing to send, and is quiet."""
    grace = say.zero + timedelta(days=1)
    floor.feed(say.purchased(), say.holding(), say.registration())
    floor.feed(say.failure(floor.open), say.registration("expired", 2, grace_until=grace))
    floor.wait(timedelta(days=2))
    assert floor.actions() == ["activate"]
    assert floor.line.due_at is None
