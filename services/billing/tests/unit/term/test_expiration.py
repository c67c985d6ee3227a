"""The end of a period and of aging, a second before, at and a second after. Source: spec lifecycle, Term."""

from datetime import timedelta
from typing import Any

import pytest

AGING_TIME = timedelta(days=34)
SECOND = timedelta(seconds=1)
NOW = timedelta(0)


@pytest.mark.parametrize(
    ("cycles", "state", "left", "outcome", "bill"),
    [
        (None, "active", None, "renewed", "13.00"),
        (999, "active", 998, "renewed", "13.00"),
        (2, "active", 1, "renewed", "13.00"),
        (1, "delayed_removal", 0, "delayed_removal", "13.00"),
        (0, "aging", 0, "expired", "8.00"),
    ],
)
def test_a_period_is_over_at_its_end_and_not_a_second_before(
    *,
    start: Any,
    moment: timedelta,
    cycles: int | None,
    state: str,
    left: int | None,
    outcome: str,
    bill: str,
) -> None:
    """Unlimited terms and those with n cycles renew one period. The renewal that leaves 0 starts the last one."""
    billing = start(billing_cycles=cycles)
    before = billing.term
    billing.run_timers(before.expires_at + moment)
    if moment < NOW:
        assert (billing.term.state, billing.outcomes(), billing.bill()) == (before.state, [], "8.00")
        return
    term = billing.term
    assert (term.state, term.cycles_left, billing.outcomes(), billing.bill()) == (
        state,
        left,
        [outcome],
        bill,
    )
    (ended,) = billing.published("cycle.expired")
    assert (ended.time, ended.data.expired_at, ended.data.period) == (before.expires_at, before.expires_at, 1)
    assert (term.aging_until, term.period) == (
        (before.expires_at + AGING_TIME, 1) if cycles == 0 else (None, 2)
    )


def test_the_events_of_a_renewal_have_the_new_period_and_its_charge(start: Any) -> None:
    """The period and its charge begin at the end of the last period, and so do the events."""
    billing = start()
    end = billing.term.expires_at
    billing.run_timers(end + SECOND)
    ended, changed, posted = billing.published()[-3:]
    assert [event.data.topic for event in (ended, changed, posted)] == [
        "cycle.expired",
        "term.changed",
        "ledger.posted",
    ]
    assert {event.time for event in (ended, changed, posted)} == {end}
    assert (changed.data.reason, changed.data.period_start) == ("renewed", end)
    assert (posted.data.kind, posted.data.period_start) == ("renewal", end)
    assert posted.data.period_end == changed.data.expires_at == billing.term.expires_at
    assert billing.ledger[-1].posted_at == end


def test_a_number_with_one_cycle_is_renewed_once_ages_and_is_gone(start: Any) -> None:
    """Active, delayed removal, aging, closed: each begins at its own instant, and the ledger has every entry."""
    billing = start(billing_cycles=1)
    first = billing.term.expires_at
    billing.run_timers(first)
    second = billing.term.expires_at
    billing.run_timers(second + AGING_TIME)
    changes = [
        (event.time, event.data.state, event.data.reason) for event in billing.published("term.changed")
    ]
    assert changes[1:] == [
        (first, "delayed_removal", "delayed"),
        (second, "aging", "expired"),
        (second + AGING_TIME, "closed", "closed"),
    ]
    assert billing.outcomes() == ["delayed_removal", "expired"]
    assert [(entry.kind, str(entry.amount)) for entry in billing.ledger] == [
        ("setup", "3.00"),
        ("recurring", "5.00"),
        ("renewal", "5.00"),
    ]


@pytest.mark.parametrize("state", ["aging", "canceled"])
def test_a_number_is_gone_34_days_after_its_end_and_not_a_second_before(
    start: Any, make: Any, moment: timedelta, state: str
) -> None:
    """`aging_until` is empty while paid time is left. Nothing is charged or refunded while it ages."""
    billing = start(billing_cycles=0 if state == "aging" else None)
    if state == "canceled":
        billing.process(make.cancel())
    end = billing.term.expires_at
    billing.run_timers(end - SECOND)
    assert billing.term.aging_until is None
    billing.run_timers(end)
    assert (billing.term.state, billing.term.aging_until) == (state, end + AGING_TIME)
    billing.run_timers(end + AGING_TIME + moment)
    removed = billing.published("did.removed")
    if moment < NOW:
        assert (billing.term.state, removed) == (state, [])
        return
    assert (billing.term.state, billing.term.aging_until, billing.term.due_at) == ("closed", None, None)
    assert [(event.time, event.data.reason, event.data.refunded) for event in removed] == [
        (end + AGING_TIME, "aged_out", False)
    ]
    assert (billing.outcomes(), billing.bill()) == (["expired"], "8.00")


def test_a_number_without_a_price_never_expires(start: Any, make: Any) -> None:
    """Its state is `none` for ten years, and nothing is published or charged."""
    billing = start("awaiting", acquired="assigned", price=None, billing_period=None)
    billing.run_timers(make.zero + timedelta(days=3_650))
    assert (billing.term.state, billing.topics(), billing.ledger) == ("none", ["term.changed"], [])
