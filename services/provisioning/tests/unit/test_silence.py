"""A carrier that has answered nothing for ten minutes is shown as silent on the DIDs that wait for it."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_contracts.events import RoutingChanged
from didflow_provisioning.domain.carriers.silence import CarrierContact, is_silent

TEN_MINUTES = timedelta(minutes=10)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def unanswered(stage: Any, messages: Any) -> Any:
    """A stage whose carrier does not answer the activation."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    return stage


def codes(stage: Any) -> list[str | None]:
    """The code of what the carrier has not done, in each published axis, without repeats."""
    found = [
        each.unapplied[0].code if each.unapplied else None
        for each in stage.events
        if isinstance(each, RoutingChanged)
    ]
    return [code for n, code in enumerate(found) if n == 0 or code != found[n - 1]]


def test_a_carrier_is_silent_after_ten_minutes_and_not_before(unanswered: Any) -> None:
    """The next step stays await_carrier."""
    unanswered.advance(TEN_MINUTES - MOMENT)
    assert unanswered.axis().unapplied[0].code == "no_answer"
    unanswered.advance(MOMENT)
    assert unanswered.axis().unapplied[0].code == "carrier_silent"
    assert unanswered.axis().missing.voice == "await_carrier"
    assert unanswered.axis().carrier_state == "activating"


def test_silence_is_published_once_and_not_with_each_retry(unanswered: Any) -> None:
    """A day of attempts publishes three axes: sent, not answered, silent."""
    unanswered.advance(timedelta(days=1))
    assert len(unanswered.issued()) > 20
    assert [each for each in unanswered.events if isinstance(each, RoutingChanged)][3:] == []
    assert codes(unanswered) == [None, "no_answer", "carrier_silent"]


@pytest.mark.parametrize("code", ["rate_limited", "carrier_unavailable"])
def test_the_next_result_ends_the_silence(unanswered: Any, messages: Any, code: str) -> None:
    """Its own code takes the place of `carrier_silent`. Ten minutes later the carrier is silent again."""
    unanswered.advance(timedelta(hours=1))
    unanswered.process(messages.failure(unanswered.open_command, retryable=True, code=code))
    assert unanswered.axis().unapplied[0].code == code
    unanswered.advance(timedelta(hours=3))
    assert codes(unanswered)[-2:] == [code, "carrier_silent"] or codes(unanswered)[-2:] == [
        "no_answer",
        "carrier_silent",
    ]


def test_a_carrier_that_answers_each_attempt_too_late_is_not_silent(unanswered: Any, messages: Any) -> None:
    """Each failure comes a minute after its deadline, when the next attempt is out already."""
    for _ in range(6):
        attempt = unanswered.open_command
        unanswered.advance(timedelta(minutes=3))
        unanswered.process(messages.failure(attempt, retryable=True))
        assert unanswered.open_command.attempt > attempt.attempt
    assert "carrier_silent" not in codes(unanswered)


def test_a_success_ends_the_silence(unanswered: Any, messages: Any) -> None:
    """The number is active, and nothing is unapplied."""
    unanswered.advance(timedelta(hours=1))
    unanswered.process(messages.result(unanswered.open_command))
    assert (unanswered.axis().carrier_state, unanswered.axis().unapplied) == ("active", ())


def test_a_release_still_waits_for_the_deadline_of_a_command_that_is_out(
    unanswered: Any, messages: Any
) -> None:
    """The instant at which the carrier becomes silent is no deadline."""
    unanswered.advance(TEN_MINUTES - timedelta(seconds=20))
    unanswered.process(messages.removed())
    command = unanswered.open_command
    assert command.state == "out"
    unanswered.advance(command.deadline - unanswered.now() - MOMENT)
    assert unanswered.actions() == ["activate"]
    unanswered.advance(MOMENT)
    assert unanswered.actions() == ["activate", "release"]


def test_a_carrier_without_a_missed_deadline_is_not_silent(messages: Any) -> None:
    """However long it has had nothing to answer."""
    now = messages.start
    contact = CarrierContact(carrier="a", last_result_at=now - timedelta(days=9), unanswered_since=None)
    assert not is_silent(contact, now)


def test_a_carrier_that_answers_others_is_not_silent(messages: Any) -> None:
    """One command has had no answer for an hour, another one was answered nine minutes ago."""
    now = messages.start
    heard, asked = now - timedelta(minutes=9), now - timedelta(hours=1)
    contact = CarrierContact(carrier="a", last_result_at=heard, unanswered_since=asked)
    assert not is_silent(contact, now)
    assert is_silent(contact, now + timedelta(minutes=1))
