"""Due timers: deadlines, pauses between attempts, commands that are given up, and the end of a grace period."""

from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def unanswered(stage: Any, messages: Any) -> Any:
    """A stage whose carrier does not answer the activation."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    return stage


def test_an_unanswered_attempt_is_repeated_after_its_deadline(unanswered: Any) -> None:
    """After two minutes the attempt counts as failed. The same command follows after a pause."""
    unanswered.advance(timedelta(minutes=2) - timedelta(microseconds=1))
    assert unanswered.open_command.state == "out"
    unanswered.advance(timedelta(microseconds=1))
    assert (unanswered.open_command.state, unanswered.open_command.code) == ("waiting", "no_answer")
    unanswered.advance(timedelta(seconds=2))
    first, second = unanswered.issued()
    assert first.command_id == second.command_id
    assert second.attempt == 2


def test_an_activation_is_given_up_after_seven_days(unanswered: Any) -> None:
    """One second before, it is still tried. Then the carrier state is failed, with a reason."""
    unanswered.advance(timedelta(days=7, seconds=-1))
    assert unanswered.routing().carrier_state == "activating"
    unanswered.advance(timedelta(seconds=1))
    assert unanswered.axis().carrier_state == "failed"
    assert unanswered.axis().reason.startswith("no_answer")
    assert unanswered.queue.due_at is None
    assert unanswered.axis().unapplied[0].code == "no_answer"
    assert 100 < len(unanswered.issued()) < 250


def test_every_other_command_is_given_up_after_a_day(active: Any, messages: Any) -> None:
    """A suspension without an answer stays unapplied. The carrier state stays active."""
    active.process(messages.did_changed("blocked", 2))
    active.advance(timedelta(hours=24))
    assert active.axis().carrier_state == "active"
    assert [(u.action, u.state) for u in active.axis().unapplied] == [("suspend", "failed")]


def test_a_release_replaces_further_attempts_after_a_missed_deadline(unanswered: Any, messages: Any) -> None:
    """After a missed deadline the state at the carrier is unknown, so the release is sent at once."""
    unanswered.process(messages.removed())
    assert unanswered.actions() == ["activate"]
    unanswered.advance(timedelta(minutes=2))
    assert unanswered.actions() == ["activate", "release"]
    assert len(unanswered.issued()) == 2


def test_a_release_replaces_further_attempts_after_a_retryable_failure(
    unanswered: Any, messages: Any
) -> None:
    """A command that failed retryably is not tried again once its DID is removed."""
    unanswered.process(messages.removed(), messages.failure(unanswered.open_command, retryable=True))
    assert unanswered.actions() == ["activate", "release"]


def test_a_release_is_tried_until_it_is_given_up(unanswered: Any, messages: Any) -> None:
    """A release is retried like any command. Its failure is shown, and a late success counts."""
    unanswered.process(messages.removed())
    unanswered.advance(timedelta(days=2))
    assert unanswered.routing().carrier_state == "activating"
    assert [(u.action, u.state) for u in unanswered.axis().unapplied] == [("release", "failed")]
    unanswered.process(messages.result(unanswered.issued()[-1]))
    assert unanswered.axis().carrier_state == "released"


def test_a_success_after_the_command_was_given_up_counts(unanswered: Any, messages: Any) -> None:
    """A success that is seven days and an hour late makes the number active."""
    command = unanswered.open_command
    unanswered.advance(timedelta(days=7, hours=1))
    unanswered.process(messages.result(command))
    assert unanswered.axis().carrier_state == "active"


def test_no_timer_runs_while_no_command_is_open(active: Any) -> None:
    """Nothing is published for an active number in a year."""
    published = len(active.events)
    active.advance(timedelta(days=365))
    assert len(active.events) == published
    assert active.queue.due_at is None


def test_a_grace_period_that_ends_during_a_command_takes_effect_after_it(active: Any, messages: Any) -> None:
    """The suspension is queued behind the open command."""
    grace_until = messages.start + timedelta(seconds=30)
    active.process(messages.registration("expired", 2, grace_until=grace_until), messages.set_capacity(5))
    active.advance(timedelta(seconds=30))
    assert active.actions() == ["activate", "set_capacity"]
    assert (active.open_command.state, active.open_command.attempt) == ("out", 1)
    assert ("suspend", "queued") in [(u.action, u.state) for u in active.axis().unapplied]
    active.succeed_all(messages)
    assert active.actions() == ["activate", "set_capacity", "suspend"]


def test_the_end_of_a_grace_period_sends_nothing_for_a_number_that_is_not_active(
    stage: Any, messages: Any
) -> None:
    """The queue is checked once. It has nothing to send, and no timer is left."""
    grace_until = messages.start + timedelta(days=1)
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    stage.process(
        messages.failure(stage.open_command), messages.registration("expired", 2, grace_until=grace_until)
    )
    stage.advance(timedelta(days=2))
    assert stage.actions() == ["activate"]
    assert stage.queue.due_at is None
