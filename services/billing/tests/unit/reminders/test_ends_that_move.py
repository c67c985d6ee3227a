"""Reminders of an end that moves, comes back or is no end any more.

Source: spec events, `term.expiring`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST_OF_MAY = datetime(2026, 5, 1, 9, tzinfo=UTC)


def ends_of(make: Any, at: datetime) -> Iterable[Any]:
    """Return messages that end a DID whose registration waits."""
    return (make.withdrawn(at), make.cancel())


def test_without_an_end_there_is_no_reminder(billing: Any, purchased: Any, make: Any) -> None:
    """Unlimited terms, and those with cycles left, have one timer per period as before."""
    purchased(billing, "not_required", billing_cycles=3)
    for _ in range(3):
        assert billing.term.due_at == billing.term.expires_at
        billing.run_timers(billing.term.expires_at)
    assert billing.reminders() == []
    assert billing.term.due_at == billing.term.expires_at - 30 * DAY
    billing.process(make.set_cycles(None), billing.term.expires_at - 40 * DAY)
    assert billing.term.due_at == billing.term.expires_at
    billing.run_clock(FIRST_OF_MAY + 400 * DAY)
    assert billing.reminders() == []


def test_cycles_that_are_set_back_end_the_reminders_and_0_again_repeats_none(
    billing: Any, purchased: Any, make: Any
) -> None:
    """The end has not moved, so what was published of it is not published again."""
    purchased(billing, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.set_cycles(None), end - 20 * DAY)
    billing.process(make.set_cycles(0), end - 15 * DAY)
    billing.process(make.set_cycles(2), end - 10 * DAY)
    billing.process(make.set_cycles(0), end - 5 * DAY)
    billing.run_clock(end - SECOND)
    assert [(at, n) for at, n, _ in billing.reminders()] == [
        (end - 30 * DAY, 30),
        (end - 5 * DAY, 7),
        (end - DAY, 1),
    ]


def test_a_renewal_moves_the_end_and_the_reminders_start_anew(
    billing: Any, purchased: Any, make: Any
) -> None:
    """Nothing more is published about the former end."""
    purchased(billing, "not_required", billing_cycles=0)
    former = billing.term.expires_at
    billing.process(make.renew(3), former - 3 * DAY)
    end = billing.term.expires_at
    billing.run_clock(end - SECOND)
    assert [(data.ends_at, data.days) for data in billing.published_data("term.expiring")] == [
        (former, 30),
        (former, 7),
        (end, 30),
        (end, 7),
        (end, 1),
    ]


def test_a_restored_term_is_reminded_of_what_was_not_published_before(
    billing: Any, purchased: Any, make: Any
) -> None:
    """It was canceled when 7 days were left. Restored with 5 days left, the reminder of 7 days comes at once."""
    purchased(billing, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.cancel(), end - 20 * DAY)
    billing.process(make.restore(), end - 5 * DAY)
    billing.run_clock(end - SECOND)
    assert [(at, n) for at, n, _ in billing.reminders()] == [
        (end - 30 * DAY, 30),
        (end - 5 * DAY, 7),
        (end - DAY, 1),
    ]


@pytest.mark.parametrize("left", [3, 20])
def test_a_term_renewed_while_it_ages_is_reminded_of_its_new_end(
    billing: Any, purchased: Any, make: Any, left: int
) -> None:
    """It comes back in its last period. Nothing more is published about the removal."""
    purchased(billing, "not_required", billing_cycles=0)
    billing.run_clock(billing.term.expires_at)
    removal = billing.term.aging_until
    billing.process(make.renew(3), removal - left * DAY)
    end = billing.term.expires_at
    billing.run_clock(end - SECOND)
    after = [data for data in billing.published_data("term.expiring") if data.ends_at != removal][3:]
    assert billing.term.state == "delayed_removal"
    assert [(data.ends_at, data.days, data.reason) for data in after] == [
        (end, n, "cycles_used_up") for n in (30, 7, 1)
    ]
    assert [days for _, days, _ in billing.reminders()].count(7) == (3 if left == 3 else 2)


def test_a_canceled_term_restored_with_a_renewal_is_reminded_only_if_it_ends(
    billing: Any, purchased: Any, make: Any
) -> None:
    """It comes back unlimited."""
    purchased(billing, "not_required", billing_cycles=None)
    billing.process(make.cancel(), FIRST_OF_MAY + DAY)
    billing.run_clock(billing.term.expires_at)
    billing.process(make.restore(1), billing.term.aging_until - 10 * DAY)
    billing.run_clock(billing.term.expires_at + 100 * DAY)
    assert (billing.reminders(), billing.term.state) == ([], "active")


def test_a_pending_registration_is_reminded_of_only_on_its_last_free_day(
    billing: Any, purchased: Any
) -> None:
    """The end moves day by day. When no free day is left, the end is a day away."""
    purchased(billing, "pending", billing_cycles=0)
    end = billing.term.expires_at
    billing.run_clock(end + 29 * DAY - SECOND)
    assert (billing.reminders(), billing.term.free_days) == ([], 29)
    billing.run_clock(end + 30 * DAY - SECOND)
    assert (billing.term.free_days, billing.term.expires_at) == (30, end + 30 * DAY)
    assert billing.reminders() == [(end + 29 * DAY, 1, "registration_not_completed")]
    billing.run_clock(end + 30 * DAY)
    assert (billing.term.state, len(billing.reminders())) == ("closed", 1)


def test_a_rejection_on_a_free_day_is_reminded_of_at_once(billing: Any, purchased: Any, make: Any) -> None:
    """The DID is removed at the end of that day. Submitted again, the end moves, and no other reminder is due."""
    purchased(billing, "pending")
    end = billing.term.expires_at
    rejected = end + 2 * DAY + HOUR
    billing.process(make.registration("rejected", rejected, 5))
    billing.run_timers(rejected)
    assert billing.reminders() == [(rejected, 1, "registration_not_completed")]
    assert billing.published_data("term.expiring")[0].ends_at == end + 3 * DAY
    billing.process(make.registration("pending", rejected + HOUR, 6))
    billing.process(make.registration("rejected", rejected + 2 * HOUR, 7))
    billing.process(make.registration("pending", rejected + 3 * HOUR, 8))
    billing.run_clock(rejected + 2 * DAY)
    assert (len(billing.reminders()), billing.term.state) == (1, "active")


def test_a_registration_that_is_rejected_again_is_not_reminded_of_twice(
    billing: Any, purchased: Any, make: Any
) -> None:
    """The first rejection published 30 days at once, the third one 7 days."""
    purchased(billing, "pending")
    end = billing.term.expires_at
    for n, (left, state) in enumerate(
        [
            (20, "rejected"),
            (19, "pending"),
            (18, "rejected"),
            (17, "pending"),
            (6, "rejected"),
            (5, "pending"),
        ],
        5,
    ):
        billing.process(make.registration(state, end - left * DAY, n))
    billing.process(make.registration("rejected", end - 4 * DAY, 20))
    billing.run_clock(end - SECOND)
    assert [(at, n) for at, n, _ in billing.reminders()] == [
        (end - 20 * DAY, 30),
        (end - 6 * DAY, 7),
        (end - DAY, 1),
    ]


@pytest.mark.parametrize("registration", ["approved", "not_required"])
def test_a_completed_registration_ends_its_reminders(
    billing: Any, purchased: Any, make: Any, registration: str
) -> None:
    """An unlimited term goes on. One in its last period is reminded of what was not published of the same end."""
    purchased(billing, "awaiting")
    end = billing.term.expires_at
    billing.process(make.registration(registration, end - 10 * DAY, 5))
    billing.run_clock(end + 200 * DAY)
    assert billing.reminders() == [(end - 30 * DAY, 30, "registration_not_completed")]


def test_a_last_period_whose_registration_is_completed_is_reminded_of_with_its_new_reason(
    billing: Any, purchased: Any, make: Any
) -> None:
    """The end is the same, so the 30 days are not published again."""
    purchased(billing, "awaiting", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.registration("approved", end - 10 * DAY, 5))
    billing.run_clock(end - SECOND)
    assert billing.reminders() == [
        (end - 30 * DAY, 30, "registration_not_completed"),
        (end - 7 * DAY, 7, "cycles_used_up"),
        (end - DAY, 1, "cycles_used_up"),
    ]


@pytest.mark.parametrize("which", [0, 1])
def test_a_did_that_was_removed_is_not_reminded_of(
    billing: Any, purchased: Any, make: Any, which: int
) -> None:
    """Withdrawn, or canceled while it waited for end-user details."""
    purchased(billing, "awaiting")
    at = FIRST_OF_MAY + 5 * DAY
    billing.process(tuple(ends_of(make, at))[which], at)
    billing.run_clock(FIRST_OF_MAY + 400 * DAY)
    assert (billing.reminders(), billing.term.state) == ([], "closed")
