"""Reminders before a term ends, at their exact instants. Source: spec events, `term.expiring`."""

from collections.abc import Iterable
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


def sent(billing: Any) -> list[tuple[datetime, int, str]]:
    """Return time, days and reason of each reminder."""
    events = billing.published("term.expiring")
    return [(event.time, event.data.days, event.data.reason) for event in events]


def days(billing: Any) -> list[int]:
    """Return the days of each reminder."""
    return [data.days for data in billing.published_data("term.expiring")]


def purchased(
    billing: Any, make: Any, *registrations: str, at: datetime = FIRST_OF_MAY, **changes: Any
) -> Any:
    """Purchase a DID at `at`, by default for 3 months, and receive its registrations, one second after another."""
    billing.process(make.purchased(at, **({"billing_period": 3} | changes)))
    billing.process(make.did_changed(at))
    for n, registration in enumerate(registrations, 1):
        billing.process(make.registration(registration, at + n * SECOND, n))
    return billing


def run(billing: Any, until: datetime) -> None:
    """Let a clock run to `until` that never stopped: the timers run at each instant at which one is due."""
    while (due := billing.term.due_at) is not None and due <= until:
        billing.run_timers(due)
    billing.run_timers(until)


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
    billing: Any, make: Any, registration: str, cycles: int | None, reason: str
) -> None:
    """A second earlier nothing is published, a second later nothing more. At the end, the term ends."""
    purchased(billing, make, registration, billing_cycles=cycles)
    end = billing.term.expires_at
    expected = [(end - n * DAY, n, reason) for n in (30, 7, 1)]
    for number, (at, _, _) in enumerate(expected):
        billing.run_timers(at - SECOND)
        assert sent(billing) == expected[:number]
        billing.run_timers(at)
        assert sent(billing) == expected[: number + 1]
        billing.run_timers(at + SECOND)
    billing.run_timers(end - SECOND)
    assert (sent(billing), billing.term.due_at) == (expected, end)
    assert {data.ends_at for data in billing.published_data("term.expiring")} == {end}
    billing.run_timers(end)
    assert billing.term.state == ("aging" if reason == "cycles_used_up" else "closed")
    assert sent(billing) == expected


def test_aging_is_reminded_of_7_and_1_days_before_the_removal(billing: Any, make: Any) -> None:
    """30 days before, nothing is published: aging has only just begun."""
    purchased(billing, make, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    run(billing, end + 34 * DAY - SECOND)
    removal = billing.term.aging_until
    assert sent(billing)[3:] == [(removal - 7 * DAY, 7, "aging"), (removal - DAY, 1, "aging")]
    run(billing, removal + 400 * DAY)
    assert (len(sent(billing)), billing.term.state, billing.topics()[-1]) == (5, "closed", "did.removed")


def test_a_canceled_term_is_reminded_of_its_removal_only(billing: Any, make: Any) -> None:
    """While paid time is left, nothing is published. At its end the removal is known."""
    purchased(billing, make, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.cancel(), end - 40 * DAY)
    run(billing, end)
    assert (sent(billing), billing.term.state) == ([], "canceled")
    removal = billing.term.aging_until
    run(billing, removal)
    assert sent(billing) == [(removal - 7 * DAY, 7, "canceled"), (removal - DAY, 1, "canceled")]


@pytest.mark.parametrize(
    ("bought", "length"),
    [
        (datetime(2026, 1, 31, 12, 30, tzinfo=UTC), 28),
        (datetime(2028, 2, 1, tzinfo=UTC), 29),
        (datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC), 30),
    ],
)
def test_the_30_days_of_a_month_that_is_not_longer_are_published_at_once(
    billing: Any, make: Any, bought: datetime, length: int
) -> None:
    """They are past when the period begins. The time is that of the event that made the end known."""
    purchased(billing, make, "awaiting", at=bought, billing_period=1)
    end = billing.term.expires_at
    assert end - bought == length * DAY
    run(billing, end - SECOND)
    assert [(at, n) for at, n, _ in sent(billing)] == [
        (bought + SECOND, 30),
        (end - 7 * DAY, 7),
        (end - DAY, 1),
    ]


def test_the_30_days_of_a_month_of_31_days_are_published_a_day_after_the_purchase(
    billing: Any, make: Any
) -> None:
    """The period is longer than 30 days."""
    purchased(billing, make, "awaiting", billing_period=1)
    billing.run_timers(FIRST_OF_MAY + DAY - SECOND)
    assert sent(billing) == []
    billing.run_timers(FIRST_OF_MAY + DAY)
    assert sent(billing) == [(FIRST_OF_MAY + DAY, 30, "registration_not_completed")]


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
    billing: Any, make: Any, left: float, expected: list[tuple[float, int]]
) -> None:
    """It is published at the instant of the command. The later ones come at their own instants."""
    purchased(billing, make, "not_required", billing_cycles=None)
    end = billing.term.expires_at
    billing.process(make.set_cycles(0), end - left * DAY)
    run(billing, end - SECOND)
    assert [(at, n) for at, n, _ in sent(billing)] == [(end - before * DAY, n) for before, n in expected]


def test_without_an_end_there_is_no_reminder(billing: Any, make: Any) -> None:
    """Unlimited terms, and those with cycles left, have one timer per period as before."""
    purchased(billing, make, "not_required", billing_cycles=3)
    for _ in range(3):
        assert billing.term.due_at == billing.term.expires_at
        billing.run_timers(billing.term.expires_at)
    assert sent(billing) == []
    assert billing.term.due_at == billing.term.expires_at - 30 * DAY
    billing.process(make.set_cycles(None), billing.term.expires_at - 40 * DAY)
    assert billing.term.due_at == billing.term.expires_at
    run(billing, FIRST_OF_MAY + 400 * DAY)
    assert sent(billing) == []


def test_cycles_that_are_set_back_end_the_reminders_and_0_again_repeats_none(billing: Any, make: Any) -> None:
    """The end has not moved, so what was published of it is not published again."""
    purchased(billing, make, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.set_cycles(None), end - 20 * DAY)
    billing.process(make.set_cycles(0), end - 15 * DAY)
    billing.process(make.set_cycles(2), end - 10 * DAY)
    billing.process(make.set_cycles(0), end - 5 * DAY)
    run(billing, end - SECOND)
    assert [(at, n) for at, n, _ in sent(billing)] == [
        (end - 30 * DAY, 30),
        (end - 5 * DAY, 7),
        (end - DAY, 1),
    ]


def test_a_renewal_moves_the_end_and_the_reminders_start_anew(billing: Any, make: Any) -> None:
    """Nothing more is published about the former end."""
    purchased(billing, make, "not_required", billing_cycles=0)
    former = billing.term.expires_at
    billing.process(make.renew(3), former - 3 * DAY)
    end = billing.term.expires_at
    run(billing, end - SECOND)
    assert [(data.ends_at, data.days) for data in billing.published_data("term.expiring")] == [
        (former, 30),
        (former, 7),
        (end, 30),
        (end, 7),
        (end, 1),
    ]


def test_a_restored_term_is_reminded_of_what_was_not_published_before(billing: Any, make: Any) -> None:
    """It was canceled when 7 days were left. Restored with 5 days left, the reminder of 7 days comes at once."""
    purchased(billing, make, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.cancel(), end - 20 * DAY)
    billing.process(make.restore(), end - 5 * DAY)
    run(billing, end - SECOND)
    assert [(at, n) for at, n, _ in sent(billing)] == [
        (end - 30 * DAY, 30),
        (end - 5 * DAY, 7),
        (end - DAY, 1),
    ]


@pytest.mark.parametrize("left", [3, 20])
def test_a_term_renewed_while_it_ages_is_reminded_of_its_new_end(billing: Any, make: Any, left: int) -> None:
    """It comes back in its last period. Nothing more is published about the removal."""
    purchased(billing, make, "not_required", billing_cycles=0)
    run(billing, billing.term.expires_at)
    removal = billing.term.aging_until
    billing.process(make.renew(3), removal - left * DAY)
    end = billing.term.expires_at
    run(billing, end - SECOND)
    after = [data for data in billing.published_data("term.expiring") if data.ends_at != removal][3:]
    assert billing.term.state == "delayed_removal"
    assert [(data.ends_at, data.days, data.reason) for data in after] == [
        (end, n, "cycles_used_up") for n in (30, 7, 1)
    ]
    assert days(billing).count(7) == (3 if left == 3 else 2)


def test_a_canceled_term_restored_with_a_renewal_is_reminded_only_if_it_ends(billing: Any, make: Any) -> None:
    """It comes back unlimited."""
    purchased(billing, make, "not_required", billing_cycles=None)
    billing.process(make.cancel(), FIRST_OF_MAY + DAY)
    run(billing, billing.term.expires_at)
    billing.process(make.restore(1), billing.term.aging_until - 10 * DAY)
    run(billing, billing.term.expires_at + 100 * DAY)
    assert (sent(billing), billing.term.state) == ([], "active")


def test_a_pending_registration_is_reminded_of_only_on_its_last_free_day(billing: Any, make: Any) -> None:
    """The end moves day by day. When no free day is left, the end is a day away."""
    purchased(billing, make, "pending", billing_cycles=0)
    end = billing.term.expires_at
    run(billing, end + 29 * DAY - SECOND)
    assert (sent(billing), billing.term.free_days) == ([], 29)
    run(billing, end + 30 * DAY - SECOND)
    assert (billing.term.free_days, billing.term.expires_at) == (30, end + 30 * DAY)
    assert sent(billing) == [(end + 29 * DAY, 1, "registration_not_completed")]
    run(billing, end + 30 * DAY)
    assert (billing.term.state, len(sent(billing))) == ("closed", 1)


def test_a_rejection_on_a_free_day_is_reminded_of_at_once(billing: Any, make: Any) -> None:
    """The DID is removed at the end of that day. Submitted again, the end moves, and no other reminder is due."""
    purchased(billing, make, "pending")
    end = billing.term.expires_at
    rejected = end + 2 * DAY + HOUR
    billing.process(make.registration("rejected", rejected, 5))
    billing.run_timers(rejected)
    assert sent(billing) == [(rejected, 1, "registration_not_completed")]
    assert billing.published_data("term.expiring")[0].ends_at == end + 3 * DAY
    billing.process(make.registration("pending", rejected + HOUR, 6))
    billing.process(make.registration("rejected", rejected + 2 * HOUR, 7))
    billing.process(make.registration("pending", rejected + 3 * HOUR, 8))
    run(billing, rejected + 2 * DAY)
    assert (len(sent(billing)), billing.term.state) == (1, "active")


def test_a_registration_that_is_rejected_again_is_not_reminded_of_twice(billing: Any, make: Any) -> None:
    """The first rejection published 30 days at once, the third one 7 days."""
    purchased(billing, make, "pending")
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
    run(billing, end - SECOND)
    assert [(at, n) for at, n, _ in sent(billing)] == [
        (end - 20 * DAY, 30),
        (end - 6 * DAY, 7),
        (end - DAY, 1),
    ]


@pytest.mark.parametrize("registration", ["approved", "not_required"])
def test_a_completed_registration_ends_its_reminders(billing: Any, make: Any, registration: str) -> None:
    """An unlimited term goes on. One in its last period is reminded of what was not published of the same end."""
    purchased(billing, make, "awaiting")
    end = billing.term.expires_at
    billing.process(make.registration(registration, end - 10 * DAY, 5))
    run(billing, end + 200 * DAY)
    assert sent(billing) == [(end - 30 * DAY, 30, "registration_not_completed")]


def test_a_last_period_whose_registration_is_completed_is_reminded_of_with_its_new_reason(
    billing: Any, make: Any
) -> None:
    """The end is the same, so the 30 days are not published again."""
    purchased(billing, make, "awaiting", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.registration("approved", end - 10 * DAY, 5))
    run(billing, end - SECOND)
    assert sent(billing) == [
        (end - 30 * DAY, 30, "registration_not_completed"),
        (end - 7 * DAY, 7, "cycles_used_up"),
        (end - DAY, 1, "cycles_used_up"),
    ]


def ends_of(make: Any, at: datetime) -> Iterable[Any]:
    """Return messages that end a DID whose registration waits."""
    return (make.withdrawn(at), make.cancel())


@pytest.mark.parametrize("which", [0, 1])
def test_a_did_that_was_removed_is_not_reminded_of(billing: Any, make: Any, which: int) -> None:
    """Withdrawn, or canceled while it waited for end-user details."""
    purchased(billing, make, "awaiting")
    at = FIRST_OF_MAY + 5 * DAY
    billing.process(tuple(ends_of(make, at))[which], at)
    run(billing, FIRST_OF_MAY + 400 * DAY)
    assert (sent(billing), billing.term.state) == ([], "closed")


def test_a_purchase_that_can_still_be_refused_is_not_reminded_of(billing: Any, make: Any) -> None:
    """Inventory refuses it a second later. Nothing was published about the end of a DID that no account has."""
    billing.process(make.purchased())
    billing.process(make.registration("awaiting"))
    billing.run_timers(make.zero + SECOND)
    billing.process(make.purchase_refused(make.zero + SECOND))
    run(billing, make.zero + 100 * DAY)
    assert (sent(billing), billing.term.state) == ([], "closed")


def test_an_accepted_purchase_is_reminded_of_from_then_on(billing: Any, make: Any) -> None:
    """The holding comes a day after the registration."""
    billing.process(make.purchased())
    billing.process(make.registration("awaiting"))
    billing.process(make.did_changed(make.zero + DAY))
    billing.run_timers(make.zero + DAY)
    assert sent(billing) == [(make.zero + DAY, 30, "registration_not_completed")]


def test_a_reminder_is_dated_by_the_last_event_that_made_the_end_known(billing: Any, make: Any) -> None:
    """That is the purchase, if it was published later than it was made. When an event arrives does not matter."""
    sold = make.zero + HOUR
    billing.process(make.purchased(sold, purchased_at=make.zero))
    billing.process(make.registration("awaiting"))
    billing.process(make.did_changed(), make.zero + 2 * DAY)
    billing.run_timers(make.zero + 2 * DAY)
    assert sent(billing) == [(sold, 30, "registration_not_completed")]


def test_the_end_of_a_term_is_decided_when_its_timer_says_so(running: Any, make: Any) -> None:
    """If the timer is set to the end, nothing is published at the end about days that have passed."""
    running.process(make.set_cycles(0))
    term = running.term
    decision = on_due(replace(term, due_at=term.expires_at), term.expires_at)
    assert decision.state.state == "aging"


def test_nothing_is_published_before_verification_has_answered_and_nothing_is_dated_before_its_answer(
    billing: Any, make: Any
) -> None:
    """The answer comes 25 days after the end of paid time. The removal is then 9 days away."""
    purchased(billing, make, billing_cycles=0)
    end = billing.term.expires_at
    run(billing, end + 25 * DAY)
    assert (sent(billing), billing.term.due_at) == ([], None)
    billing.process(make.registration("not_required", end + 25 * DAY))
    run(billing, end + 34 * DAY - SECOND)
    assert (billing.term.state, billing.term.aging_until) == ("aging", end + 34 * DAY)
    assert sent(billing) == [(end + 27 * DAY, 7, "aging"), (end + 33 * DAY, 1, "aging")]


@pytest.mark.parametrize(("answer", "expected"), [(29, [(29, 7), (33, 1)]), (33.5, [(33.5, 1)]), (40, [])])
def test_an_answer_that_comes_late_publishes_only_the_nearest_reminder(
    billing: Any, make: Any, answer: float, expected: list[tuple[float, int]]
) -> None:
    """Its time is that of the answer. Those before it are left out; the terms before it are settled as always."""
    purchased(billing, make, billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.registration("not_required", end + answer * DAY))
    run(billing, end + 60 * DAY)
    assert sent(billing) == [(end + after * DAY, n, "aging") for after, n in expected]
    assert billing.outcomes() == ["expired"]


def test_reminders_before_a_command_or_an_event_come_first(billing: Any, make: Any) -> None:
    """The clock was down for 80 days. Each has its own instant, and the command or event comes after them."""
    purchased(billing, make, "not_required", billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.set_cycles(None), end - 3 * DAY)
    assert [(at, n) for at, n, _ in sent(billing)] == [(end - 30 * DAY, 30), (end - 7 * DAY, 7)]
    assert billing.topics()[-3:] == ["term.expiring", "term.expiring", "term.changed"]
    times = [event.time for event in billing.published()]
    assert times == sorted(times)


def test_an_event_settles_only_the_reminders_before_its_own_time(billing: Any, make: Any) -> None:
    """An approval of 10 days before the end arrives a day before the end. The reminder of 7 days is left out."""
    purchased(billing, make, "awaiting")
    end = billing.term.expires_at
    billing.process(make.registration("approved", end - 10 * DAY, 5), end - DAY)
    run(billing, end)
    assert [(at, n) for at, n, _ in sent(billing)] == [(end - 30 * DAY, 30)]


def test_an_event_that_is_older_than_a_settled_end_dates_no_reminder_before_that_end(
    billing: Any, make: Any
) -> None:
    """A rejection of a day before the end arrives after the first free day was given."""
    purchased(billing, make, "pending")
    end = billing.term.expires_at
    run(billing, end + HOUR)
    billing.process(make.registration("rejected", end - DAY, 5), end + 2 * HOUR)
    billing.run_timers(end + 2 * HOUR)
    assert sent(billing) == [(end, 1, "registration_not_completed")]
    assert billing.published_data("term.expiring")[0].ends_at == end + DAY


@pytest.mark.parametrize("left", [0, 1, None])
@pytest.mark.parametrize("registration", ["not_required", "awaiting", "pending"])
def test_a_clock_that_was_down_for_400_days_gives_the_same_reminders_in_the_same_order(
    new_billing: Any, make: Any, registration: str, left: int | None
) -> None:
    """Clocks that run every second around an instant, every day, every 11 days, and once."""
    results = []
    for step in (None, DAY, 11 * DAY, 400 * DAY):
        billing = purchased(new_billing(), make, registration, billing_cycles=left, billing_period=1)
        if step is None:
            run(billing, FIRST_OF_MAY + 400 * DAY)
        for n in range(1, 400 * DAY // (step or 400 * DAY) + 1):
            billing.run_timers(FIRST_OF_MAY + n * (step or 400 * DAY))
        billing.run_timers(FIRST_OF_MAY + 400 * DAY)
        results.append((billing.published(), billing.ledger, billing.term))
    assert all(result[1:] == results[0][1:] for result in results)
    seen = [[(e.time, e.sequence, e.data) for e in published] for published, _, _ in results]
    assert all(events == seen[0] for events in seen)
    expected = {"not_required": {0: 5, 1: 5, None: 0}[left], "awaiting": 3, "pending": 1}[registration]
    assert sum(data.topic == "term.expiring" for _, _, data in seen[0]) == expected


def test_a_quote_is_the_same_whether_reminders_are_due_or_not(billing: Any, make: Any) -> None:
    """Settling publishes reminders of the copy only: amounts and decision follow from the paid time."""
    purchased(billing, make, "not_required", billing_cycles=0)
    before = billing.term
    now = before.expires_at - HOUR
    quoted = quote(before, make.renew(3), now)
    assert str(quoted.charge.amount) == "15.00"
    assert settle(before, now).due_at == before.expires_at
    billing.run_timers(now)
    assert quote(billing.term, make.renew(3), now).decision == quoted.decision
    assert (sent(billing), len(billing.ledger)) == (
        [(before.expires_at - n * DAY, n, "cycles_used_up") for n in (30, 7, 1)],
        2,
    )


def test_a_reminder_is_published_once_if_its_timer_runs_again(billing: Any, make: Any) -> None:
    """The term keeps which reminder was published of which end."""
    purchased(billing, make, "not_required", billing_cycles=0)
    at = billing.term.due_at
    billing.run_timers(at)
    assert on_due(billing.term, at) == Unchanged()
    billing.run_timers(at)
    assert days(billing) == [30]
