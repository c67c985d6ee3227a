"""Reminders at their exact instants, and which of them is published when several are past.

Source: spec events, `term.expiring`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
FIRST_OF_MAY = datetime(2026, 5, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("registration", "cycles", "reason"),
    [
        ("not_required", 0, "cycles_used_up"),
        ("approved", 0, "cycles_used_up"),
        ("expired", 0, "cycles_used_up"),
        ("awaiting", None, "registration_not_completed"),
        ("rejected", None, "registration_not_completed"),
        ("rejected", 0, "registration_not_completed"),
    ],
)
def test_a_term_that_ends_is_reminded_of_30_7_and_1_days_before_to_the_second(
    billing: Any, purchased: Any, registration: str, cycles: int | None, reason: str
) -> None:
    """A second earlier nothing is published, a second later nothing more. At the end, the term ends."""
    purchased(billing, registration, billing_cycles=cycles)
    end = billing.term.expires_at
    expected = [(end - n * DAY, n, reason) for n in (30, 7, 1)]
    for number, (at, _, _) in enumerate(expected):
        billing.run_timers(at - SECOND)
        assert billing.reminders() == expected[:number]
        billing.run_timers(at)
        assert billing.reminders() == expected[: number + 1]
        billing.run_timers(at + SECOND)
    billing.run_timers(end - SECOND)
    assert (billing.reminders(), billing.term.due_at) == (expected, end)
    assert {data.ends_at for data in billing.published_data("term.expiring")} == {end}
    billing.run_timers(end)
    assert billing.term.state == ("aging" if reason == "cycles_used_up" else "closed")
    assert billing.reminders() == expected


def test_aging_is_reminded_of_7_and_1_days_before_the_removal(billing: Any, purchased: Any) -> None:
    """30 days before, nothing is published: aging began 4 days before."""
    purchased(billing, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.run_clock(end + 34 * DAY - SECOND)
    removal = billing.term.aging_until
    assert billing.reminders()[3:] == [(removal - 7 * DAY, 7, "aging"), (removal - DAY, 1, "aging")]
    billing.run_clock(removal + 400 * DAY)
    assert (len(billing.reminders()), billing.term.state, billing.topics()[-1]) == (
        5,
        "closed",
        "did.removed",
    )


def test_a_canceled_term_is_reminded_of_its_removal_only(billing: Any, purchased: Any, make: Any) -> None:
    """While paid time is left, nothing is published. At its end the removal is known."""
    purchased(billing, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.cancel(), end - 40 * DAY)
    billing.run_clock(end)
    assert (billing.reminders(), billing.term.state) == ([], "canceled")
    removal = billing.term.aging_until
    billing.run_clock(removal)
    assert billing.reminders() == [(removal - 7 * DAY, 7, "canceled"), (removal - DAY, 1, "canceled")]


@pytest.mark.parametrize(
    ("bought", "length"),
    [
        (datetime(2026, 1, 31, 12, 30, tzinfo=UTC), 28),
        (datetime(2028, 2, 1, tzinfo=UTC), 29),
        (datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC), 30),
    ],
)
def test_the_30_days_of_a_month_that_is_not_longer_are_published_at_once(
    billing: Any, purchased: Any, bought: datetime, length: int
) -> None:
    """They are past when the period begins. The time is that of the event that made the end known."""
    purchased(billing, "awaiting", at=bought, billing_period=1)
    end = billing.term.expires_at
    assert end - bought == length * DAY
    billing.run_clock(end - SECOND)
    assert [(at, n) for at, n, _ in billing.reminders()] == [
        (bought + SECOND, 30),
        (end - 7 * DAY, 7),
        (end - DAY, 1),
    ]


def test_the_30_days_of_a_month_of_31_days_are_published_a_day_after_the_purchase(
    billing: Any, purchased: Any
) -> None:
    """The period is longer than 30 days."""
    purchased(billing, "awaiting", billing_period=1)
    billing.run_timers(FIRST_OF_MAY + DAY - SECOND)
    assert billing.reminders() == []
    billing.run_timers(FIRST_OF_MAY + DAY)
    assert billing.reminders() == [(FIRST_OF_MAY + DAY, 30, "registration_not_completed")]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (40, [(30, 30), (7, 7), (1, 1)]),
        (30, [(30, 30), (7, 7), (1, 1)]),
        (29, [(29, 30), (7, 7), (1, 1)]),
        (7, [(7, 7), (1, 1)]),
        (6, [(6, 7), (1, 1)]),
        (1, [(1, 1)]),
        (0.5, [(0.5, 1)]),
    ],
)
def test_cycles_set_to_0_publish_only_the_nearest_of_the_reminders_that_are_past(
    billing: Any, purchased: Any, make: Any, left: float, expected: list[tuple[float, int]]
) -> None:
    """It is published at the instant of the command. The later ones come at their own instants."""
    purchased(billing, "not_required", billing_cycles=None)
    end = billing.term.expires_at
    billing.process(make.set_cycles(0), end - left * DAY)
    billing.run_clock(end - SECOND)
    assert [(at, n) for at, n, _ in billing.reminders()] == [
        (end - before * DAY, n) for before, n in expected
    ]
