"""Turns: commands for a carrier with a rate or a concurrency leave at its pace, whatever happened before."""

from bisect import bisect_left
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from didflow_provisioning.domain.carriers.turns import CarrierTurns, take
from didflow_provisioning.domain.timing import Timing
from didflow_provisioning.settings import CarrierTiming, ProvisioningSettings

SECOND = timedelta(seconds=1)


def limited(**limits: Any) -> ProvisioningSettings:
    """Settings with limits of the carrier of all numbers."""
    return ProvisioningSettings.placeholder().model_copy(
        update={"carriers": {"simulator": CarrierTiming(**limits)}}
    )


class Line:
    """Attempts that wait for one carrier, and timers that run every now and then. `left` is when they left."""

    def __init__(self, timing: Timing, now: datetime, random: Random) -> None:
        self.timing, self.now, self.random = timing, now, random
        self.turns = CarrierTurns(carrier="a")
        self.waiting: list[tuple[datetime, datetime | None]] = []
        self.left: list[datetime] = []
        self.decided = 0

    def add(self, attempts: int) -> None:
        """Let attempts come that have no turn."""
        self.waiting += [(self.now, None)] * attempts

    def tick(self, pause: timedelta) -> None:
        """Let the time pass, and decide what is due, in the order in which it is due, at most 50 at a time."""
        self.now += pause
        due = sorted((each for each in self.waiting if each[0] <= self.now), key=lambda each: each[0])
        self.waiting = [each for each in self.waiting if each[0] > self.now]
        for _, turn_at in due:
            self.decided += 1
            self.turns, at = take(self.turns, self.timing, self.now, turn_at=turn_at, out=0)
            if at <= self.now:
                self.left.append(self.now)
            else:
                self.waiting.append((at, at))

    def run(self, limit: timedelta) -> None:
        """Tick irregularly until nothing waits."""
        end = self.now + limit
        while self.waiting and self.now < end:
            self.tick(timedelta(seconds=self.random.uniform(0.2, 0.9)))
        assert not self.waiting

    def most_within(self, period: timedelta) -> int:
        """The most attempts that left within a period."""
        return max(bisect_left(self.left, start + period) - n for n, start in enumerate(self.left))


@pytest.mark.parametrize("rate", [0.2, 1.0, 2.5, 20.0, 60.0])
def test_no_more_attempts_leave_in_a_second_than_the_rate_allows(messages: Any, rate: float) -> None:
    """Also after ten minutes without a worker. All leave, at nearly the rate, after few decisions each."""
    attempts = max(10, int(rate * 20))
    line = Line(Timing(rate_per_s=rate), messages.start, Random(rate))
    line.add(attempts)
    for _ in range(5):
        line.tick(SECOND / 2)
    line.tick(timedelta(minutes=10))
    line.add(attempts)
    began = line.now
    line.run(timedelta(seconds=5 * attempts / rate + 60))
    period = max(SECOND, SECOND / rate) if rate != 2.5 else 1.2 * SECOND
    assert line.most_within(period) <= max(1, rate if rate != 2.5 else 3)
    assert (line.now - began).total_seconds() < 2 * attempts / rate * 1.3 + 5
    assert line.decided < 10 * len(line.left)


def test_a_turn_is_kept_by_who_has_it(messages: Any) -> None:
    """A new attempt does not leave before those that wait, also if there is room at the moment."""
    timing, now = Timing(rate_per_s=1), messages.start
    turns, first = take(CarrierTurns(carrier="a"), timing, now, turn_at=None, out=0)
    turns, second = take(turns, timing, now, turn_at=None, out=0)
    later = now + 1.5 * SECOND
    turns, third = take(turns, timing, later, turn_at=None, out=0)
    turns, left = take(turns, timing, later, turn_at=second, out=0)
    assert (first, second, left) == (now, now + SECOND, later)
    assert third > later


def test_no_more_commands_are_out_than_the_concurrency_allows(messages: Any) -> None:
    """Those that left in the same batch count, though the database does not know them yet."""
    timing, now = Timing(concurrency=3), messages.start
    turns, at = CarrierTurns(carrier="a"), []
    for _ in range(5):
        turns, turn_at = take(turns, timing, now, turn_at=None, out=1)
        at.append(turn_at)
    assert at[:2] == [now, now]
    assert all(now < each <= now + SECOND for each in at[2:])


def test_a_command_for_a_carrier_with_a_rate_leaves_with_the_timer(new_stage: Any, messages: Any) -> None:
    """Until then it is queued, and the carrier state is inactive."""
    stage = new_stage(limited(rate_per_s=1))
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    assert stage.issued() == []
    assert [(each.action, each.state) for each in stage.axis().unapplied] == [("activate", "queued")]
    stage.run_due_timers()
    assert stage.actions() == ["activate"]
    stage.process(messages.result(stage.open_command))
    assert stage.axis().carrier_state == "active"
    assert stage.queue.due_at is None


def test_a_number_that_waits_for_its_turn_is_removed_without_a_command(new_stage: Any, messages: Any) -> None:
    """The carrier never gets the number."""
    stage = new_stage(limited(concurrency=1))
    stage.process(messages.purchased(), messages.did_changed(), messages.registration(), messages.removed())
    stage.advance(timedelta(days=1))
    assert (stage.issued(), stage.axis().carrier_state) == ([], "released")
    assert stage.queue.due_at is None


def test_a_newer_setting_replaces_one_that_waits_for_its_turn(new_stage: Any, messages: Any) -> None:
    """The carrier gets the last capacity only."""
    stage = new_stage(limited(rate_per_s=1))
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    stage.run_due_timers()
    stage.process(messages.result(stage.open_command))
    stage.process(messages.set_capacity(2), messages.set_capacity(3))
    stage.advance(SECOND)
    assert [each.parameters.capacity for each in stage.issued()] == [None, 3]


def test_a_retry_takes_a_turn_too(new_stage: Any, messages: Any) -> None:
    """A carrier with one command in a minute gets the next attempt a minute later, though the pause is short."""
    stage = new_stage(limited(rate_per_s=1 / 60))
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    stage.run_due_timers()
    stage.process(messages.failure(stage.open_command, retryable=True, code="carrier_unavailable"))
    stage.advance(59 * SECOND)
    assert len(stage.issued()) == 1
    assert stage.open_command.next_at == messages.start + 60 * SECOND
    stage.advance(SECOND)
    assert [each.attempt for each in stage.issued()] == [1, 2]


def test_a_command_is_given_up_in_time_though_its_turn_comes_later(new_stage: Any, messages: Any) -> None:
    """The next turn is after ten minutes, and an activation is given up after five."""
    stage = new_stage(limited(rate_per_s=1 / 600, give_up_s={"activate": 300}))
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    stage.run_due_timers()
    stage.process(messages.failure(stage.open_command, retryable=True, code="carrier_unavailable"))
    stage.advance(299 * SECOND)
    assert stage.axis().carrier_state == "activating"
    stage.advance(SECOND)
    assert (stage.axis().carrier_state, stage.axis().reason) == ("failed", "carrier_unavailable")
