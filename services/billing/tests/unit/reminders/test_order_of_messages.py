"""Reminders when messages and timers are late, early or repeated.

Source: spec events, `term.expiring`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_billing.domain.quote import quote, settle
from didflow_billing.domain.timers import on_due
from didflow_chassis.decision import Unchanged

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST_OF_MAY = datetime(2026, 5, 1, 9, tzinfo=UTC)


def test_a_purchase_that_can_still_be_refused_is_not_reminded_of(billing: Any, make: Any) -> None:
    """Inventory refuses it a second later. Nothing was published about the end of a DID that no account has."""
    billing.process(make.purchased())
    billing.process(make.registration("awaiting"))
    billing.run_timers(make.zero + SECOND)
    billing.process(make.purchase_refused(make.zero + SECOND))
    billing.run_clock(make.zero + 100 * DAY)
    assert (billing.reminders(), billing.term.state) == ([], "closed")


def test_an_accepted_purchase_is_reminded_of_from_then_on(billing: Any, make: Any) -> None:
    """The holding comes a day after the registration."""
    billing.process(make.purchased())
    billing.process(make.registration("awaiting"))
    billing.process(make.did_changed(make.zero + DAY))
    billing.run_timers(make.zero + DAY)
    assert billing.reminders() == [(make.zero + DAY, 30, "registration_not_completed")]


def test_a_reminder_is_dated_by_the_last_event_that_made_the_end_known(billing: Any, make: Any) -> None:
    """That is the purchase, if it was published later than it was made. When an event arrives does not matter."""
    sold = make.zero + HOUR
    billing.process(make.purchased(sold, purchased_at=make.zero))
    billing.process(make.registration("awaiting"))
    billing.process(make.did_changed(), make.zero + 2 * DAY)
    billing.run_timers(make.zero + 2 * DAY)
    assert billing.reminders() == [(sold, 30, "registration_not_completed")]


def test_the_end_of_a_term_is_decided_when_its_timer_says_so(running: Any, make: Any) -> None:
    """If the timer is set to the end, nothing is published at the end about days that have passed."""
    running.process(make.set_cycles(0))
    term = running.term
    decision = on_due(replace(term, due_at=term.expires_at), term.expires_at)
    assert decision.state.state == "aging"


def test_a_timer_that_is_neither_a_reminder_nor_the_end_only_waits_for_what_is_due(running: Any) -> None:
    """A release with other days of reminders finds timers of the release before. None of them charges early."""
    early = running.term.expires_at - DAY
    decision = on_due(replace(running.term, due_at=early), early)
    assert (decision.state, decision.events, decision.also) == (running.term, (), ())


def test_nothing_is_published_before_verification_has_answered_and_nothing_is_dated_before_its_answer(
    billing: Any, purchased: Any, make: Any
) -> None:
    """The answer comes 25 days after the end of paid time. The removal is then 9 days away."""
    purchased(billing, billing_cycles=0)
    end = billing.term.expires_at
    billing.run_clock(end + 25 * DAY)
    assert (billing.reminders(), billing.term.due_at) == ([], None)
    billing.process(make.registration("not_required", end + 25 * DAY))
    billing.run_clock(end + 34 * DAY - SECOND)
    assert (billing.term.state, billing.term.aging_until) == ("aging", end + 34 * DAY)
    assert billing.reminders() == [(end + 27 * DAY, 7, "aging"), (end + 33 * DAY, 1, "aging")]


@pytest.mark.parametrize(("answer", "expected"), [(29, [(29, 7), (33, 1)]), (33.5, [(33.5, 1)]), (40, [])])
def test_an_answer_that_comes_late_publishes_only_the_nearest_reminder(
    billing: Any, purchased: Any, make: Any, answer: float, expected: list[tuple[float, int]]
) -> None:
    """Its time is that of the answer. Those before it are left out; the terms before it are settled as always."""
    purchased(billing, billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.registration("not_required", end + answer * DAY))
    billing.run_clock(end + 60 * DAY)
    assert billing.reminders() == [(end + after * DAY, n, "aging") for after, n in expected]
    assert billing.outcomes() == ["expired"]


def test_reminders_before_a_command_or_an_event_come_first(billing: Any, purchased: Any, make: Any) -> None:
    """The clock was down for 80 days. Each has its own instant, and the command or event comes after them."""
    purchased(billing, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.set_cycles(None), end - 3 * DAY)
    assert [(at, n) for at, n, _ in billing.reminders()] == [(end - 30 * DAY, 30), (end - 7 * DAY, 7)]
    assert billing.topics()[-3:] == ["term.expiring", "term.expiring", "term.changed"]
    times = [event.time for event in billing.published()]
    assert times == sorted(times)


def test_an_event_settles_only_the_reminders_before_its_own_time(
    billing: Any, purchased: Any, make: Any
) -> None:
    """An approval of 10 days before the end arrives a day before the end. The reminder of 7 days is left out."""
    purchased(billing, "awaiting")
    end = billing.term.expires_at
    billing.process(make.registration("approved", end - 10 * DAY, 5), end - DAY)
    billing.run_clock(end)
    assert [(at, n) for at, n, _ in billing.reminders()] == [(end - 30 * DAY, 30)]


def test_an_event_that_is_older_than_a_settled_end_dates_no_reminder_before_that_end(
    billing: Any, purchased: Any, make: Any
) -> None:
    """A rejection of a day before the end arrives after the first free day was given."""
    purchased(billing, "pending")
    end = billing.term.expires_at
    billing.run_clock(end + HOUR)
    billing.process(make.registration("rejected", end - DAY, 5), end + 2 * HOUR)
    billing.run_timers(end + 2 * HOUR)
    assert billing.reminders() == [(end, 1, "registration_not_completed")]
    assert billing.published_data("term.expiring")[0].ends_at == end + DAY


@pytest.mark.parametrize("left", [0, 1, None])
@pytest.mark.parametrize("registration", ["not_required", "awaiting", "pending"])
def test_a_clock_that_was_down_for_400_days_gives_the_same_reminders_in_the_same_order(
    new_billing: Any, purchased: Any, registration: str, left: int | None
) -> None:
    """Clocks that run every second around an instant, every day, every 11 days, and once."""
    results = []
    for step in (None, DAY, 11 * DAY, 400 * DAY):
        billing = purchased(new_billing(), registration, billing_cycles=left, billing_period=1)
        if step is None:
            billing.run_clock(FIRST_OF_MAY + 400 * DAY)
        for n in range(1, 400 * DAY // (step or 400 * DAY) + 1):
            billing.run_timers(FIRST_OF_MAY + n * (step or 400 * DAY))
        billing.run_timers(FIRST_OF_MAY + 400 * DAY)
        results.append((billing.published(), billing.ledger, billing.term))
    assert all(result[1:] == results[0][1:] for result in results)
    seen = [[(e.time, e.sequence, e.data) for e in published] for published, _, _ in results]
    assert all(events == seen[0] for events in seen)
    expected = {"not_required": {0: 5, 1: 5, None: 0}[left], "awaiting": 3, "pending": 1}[registration]
    assert sum(data.topic == "term.expiring" for _, _, data in seen[0]) == expected


def test_a_quote_is_the_same_whether_reminders_are_due_or_not(
    billing: Any, purchased: Any, make: Any
) -> None:
    """Settling publishes reminders of the copy only: amounts and decision follow from the paid time."""
    purchased(billing, "not_required", billing_cycles=0)
    before = billing.term
    now = before.expires_at - HOUR
    quoted = quote(before, make.renew(3), now)
    assert str(quoted.charge.amount) == "15.00"
    assert settle(before, now).due_at == before.expires_at
    billing.run_timers(now)
    assert quote(billing.term, make.renew(3), now).decision == quoted.decision
    assert (billing.reminders(), len(billing.ledger)) == (
        [(before.expires_at - n * DAY, n, "cycles_used_up") for n in (30, 7, 1)],
        2,
    )


def test_a_reminder_is_published_once_if_its_timer_runs_again(billing: Any, purchased: Any) -> None:
    """The term keeps which reminder was published of which end."""
    purchased(billing, "not_required", billing_cycles=0)
    at = billing.term.due_at
    billing.run_timers(at)
    assert on_due(billing.term, at) == Unchanged()
    billing.run_timers(at)
    assert [days for _, days, _ in billing.reminders()] == [30]
