"""Renewals by command: early, while aging, and of a canceled term. Source: spec lifecycle, Term."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

DAY = timedelta(days=1)
NOW = timedelta(0)
AGING_TIME = timedelta(days=34)


@pytest.mark.parametrize(
    ("months", "end", "cost"),
    [
        (1, "2026-03-31", "5.00"),
        (3, "2026-05-31", "15.00"),
        (6, "2026-08-31", "30.00"),
        (12, "2027-02-28", "60.00"),
    ],
)
def test_an_early_renewal_starts_at_the_current_expiry(
    start: Any, make: Any, months: int, end: str, cost: str
) -> None:
    """It is charged now, for the time from the old expiry on. The period goes on, and so do the cycles."""
    billing = start(billing_cycles=2)
    old = billing.term.expires_at
    billing.process(make.renew(months), make.zero + 5 * DAY)
    term, entry = billing.term, billing.ledger[-1]
    assert (term.expires_at.date().isoformat(), term.cycles_left, term.period) == (end, 2, 1)
    assert (entry.kind, str(entry.amount), entry.posted_at) == ("renewal", cost, make.zero + 5 * DAY)
    assert (entry.period_start, entry.period_end) == (old, term.expires_at)
    assert billing.published_data("term.changed")[-1].reason == "renewed"


def test_a_renewal_changes_the_billing_period_from_then_on(start: Any, make: Any) -> None:
    """The next renewal by itself has the months of the last one by command."""
    billing = start()
    billing.process(make.renew(3))
    billing.run_timers(billing.term.expires_at)
    assert (billing.term.billing_period, str(billing.ledger[-1].amount)) == (3, "15.00")
    assert billing.term.expires_at == datetime(2026, 8, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(("cycles", "state"), [(None, "active"), (0, "delayed_removal")])
def test_several_early_renewals_are_charged_each_for_its_own_time(
    start: Any, make: Any, cycles: int | None, state: str
) -> None:
    """Each starts where the one before ends. A term in its last period stays in it."""
    billing = start(billing_cycles=cycles)
    for months in (1, 12, 1):
        billing.process(make.renew(months))
    starts = [entry.period_start.date().isoformat() for entry in billing.ledger[1:]]
    assert starts == ["2026-01-31", "2026-02-28", "2026-03-31", "2027-03-31"]
    assert (billing.term.state, billing.term.expires_at.date().isoformat()) == (state, "2027-04-30")


def test_the_end_of_the_last_period_separates_early_renewals_from_those_of_an_aging_term(
    start: Any, make: Any, moment: timedelta
) -> None:
    """A second earlier the old anchor counts. At the end and later the renewal starts now, which is the new anchor."""
    billing = start(billing_cycles=0)
    end = billing.term.expires_at
    billing.process(make.renew(1), end + moment)
    term = billing.term
    assert (term.state, term.cycles_left, term.aging_until, billing.bill()) == (
        "delayed_removal",
        0,
        None,
        "13.00",
    )
    assert billing.outcomes() == ([] if moment < NOW else ["expired"])
    assert (term.anchor, term.period) == ((make.zero, 1) if moment < NOW else (end + moment, 2))
    assert billing.ledger[-1].period_start == (end if moment < NOW else end + moment)
    until = datetime(2026, 3, 31 if moment < NOW else 28, 12, 30, tzinfo=UTC)
    assert term.expires_at == until + max(moment, NOW)


def test_an_aging_number_can_be_renewed_until_the_last_second_of_34_days(
    start: Any, make: Any, moment: timedelta
) -> None:
    """It is in delayed removal until cycles are set. At 34 days it is gone."""
    billing = start(billing_cycles=0)
    gone = billing.term.expires_at + AGING_TIME
    decision = billing.process(make.renew(6), gone + moment)
    if moment >= NOW:
        assert (decision.code, billing.term.state) == ("not_found", "closed")
        return
    assert (billing.term.state, billing.term.cycles_left, billing.term.billing_period) == (
        "delayed_removal",
        0,
        6,
    )
    billing.process(make.set_cycles(None), gone + moment)
    assert billing.term.state == "active"
    billing.run_timers(billing.term.expires_at)
    assert billing.outcomes() == ["expired", "renewed"]


def test_a_renewed_number_that_expires_again_ages_again_for_34_days(start: Any, make: Any) -> None:
    """No cycles were set after the renewal of the aging term."""
    billing = start(billing_cycles=0)
    billing.process(make.renew(1), billing.term.expires_at + DAY)
    end = billing.term.expires_at
    billing.run_timers(end)
    assert (billing.term.state, billing.term.aging_until) == ("aging", end + AGING_TIME)
    assert [event.period for event in billing.published_data("cycle.expired")] == [1, 2]


@pytest.mark.parametrize("late", [NOW, 31 * DAY], ids=["time left", "no time left"])
def test_a_canceled_number_is_restored_before_it_is_renewed(start: Any, make: Any, late: timedelta) -> None:
    """The refusal changes nothing and charges nothing."""
    billing = start()
    billing.process(make.cancel())
    assert billing.process(make.renew(1), make.zero + late).code == "restore_first"
    assert (billing.term.state, billing.bill()) == ("canceled", "8.00")


def test_a_renewal_before_verification_has_answered_lengthens_the_first_period(start: Any, make: Any) -> None:
    """Nothing is settled yet, so the period still runs after 100 days. The first answer then settles the rest."""
    billing = start(None)
    late = make.zero + 100 * DAY
    billing.process(make.renew(1), late)
    assert (billing.term.expires_at.date().isoformat(), billing.term.period) == ("2026-03-31", 1)
    billing.process(make.registration("not_required", late), late)
    billing.run_timers(late)
    assert (billing.outcomes(), billing.bill()) == (["renewed", "renewed"], "23.00")
