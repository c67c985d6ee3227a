"""Due timers: the end of paid time and the end of aging."""

from datetime import UTC, datetime, timedelta
from typing import Any

from didflow_billing.domain.timers import on_due
from didflow_chassis.decision import Decided, Unchanged

SECOND = timedelta(seconds=1)


def test_nothing_is_due_before_verification_has_answered(billing: Any, make: Any) -> None:
    """The first answer after a year settles the whole year."""
    billing.process(make.purchased())
    year = make.zero + timedelta(days=364)
    billing.run_timers(year)
    assert (billing.term.due_at, billing.term.period) == (None, 1)
    billing.process(make.registration("not_required", year))
    billing.run_timers(year)
    assert (billing.term.period, billing.bill()) == (12, "63.00")


def test_an_unlimited_term_renews_at_its_end(running: Any, make: Any) -> None:
    """The next period is charged and starts at the end of the last one. The anchor stays."""
    end = running.term.expires_at
    running.run_timers(end)
    assert running.topics()[-3:] == ["cycle.expired", "term.changed", "ledger.posted"]
    ended, changed = running.published_data()[-3], running.published_data()[-2]
    assert (ended.period, ended.outcome, ended.expired_at) == (1, "renewed", end)
    assert (changed.reason, changed.period_start) == ("renewed", end)
    assert changed.expires_at == datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    assert (running.ledger[-1].kind, running.ledger[-1].posted_at) == ("renewal", end)
    assert (running.ledger[-1].period_start, running.ledger[-1].period_end) == (end, changed.expires_at)


def test_a_second_before_the_end_nothing_happens(running: Any, make: Any) -> None:
    """A timer that runs early finds nothing due."""
    end = running.term.expires_at
    assert on_due(running.term, end - SECOND) == Unchanged()
    assert isinstance(on_due(running.term, end), Decided)


def test_a_timer_that_runs_again_finds_nothing_due(running: Any, make: Any) -> None:
    """The renewal moved the end."""
    end = running.term.expires_at
    running.run_timers(end)
    assert on_due(running.term, end) == Unchanged()


def test_a_term_with_two_cycles_renews_twice_ages_and_is_removed(running: Any, make: Any) -> None:
    """The second renewal starts the last period."""
    running.process(make.set_cycles(2))
    running.run_timers(make.zero + timedelta(days=365))
    assert running.outcomes() == ["renewed", "delayed_removal", "expired"]
    assert running.term.state == "closed"
    assert running.bill() == "18.00"
    reasons = [e.reason for e in running.published_data() if e.topic == "term.changed"]
    assert reasons == ["started", "cycles_set", "renewed", "delayed", "expired", "closed"]


def test_aging_lasts_34_days_to_the_second(running: Any, make: Any) -> None:
    """A second earlier the term is still aging."""
    running.process(make.set_cycles(0))
    end = running.term.expires_at
    running.run_timers(end)
    assert (running.term.state, running.term.aging_until) == ("aging", end + timedelta(days=34))
    running.run_timers(end + timedelta(days=34) - SECOND)
    assert running.term.state == "aging"
    running.run_timers(end + timedelta(days=34))
    assert (running.term.state, running.term.aging_until, running.term.due_at) == ("closed", None, None)
    removed = running.published_data()[-1]
    assert (removed.topic, removed.reason, removed.refunded) == ("did.removed", "aged_out", False)


def test_a_canceled_term_ages_and_never_renews(running: Any, make: Any) -> None:
    """It stays canceled at its end and is removed 34 days later."""
    running.process(make.cancel())
    end = running.term.expires_at
    running.run_timers(end)
    assert (running.term.state, running.term.aging_until) == ("canceled", end + timedelta(days=34))
    assert running.outcomes() == ["expired"]
    running.run_timers(end + timedelta(days=34))
    assert running.published_data()[-1].reason == "aged_out"
    assert running.bill() == "8.00"


def test_a_term_without_a_price_never_ends(billing: Any, make: Any) -> None:
    """It is never due."""
    billing.process(make.unpriced())
    billing.process(make.registration("awaiting"))
    billing.run_timers(make.zero + timedelta(days=10_000))
    assert billing.term.state == "none"


def test_a_monthly_term_from_the_31st_always_ends_on_the_last_day(running: Any, make: Any) -> None:
    """A short month does not change the later ends."""
    running.run_timers(datetime(2027, 1, 1, tzinfo=UTC))
    ends = [e.expired_at.day for e in running.published_data() if e.topic == "cycle.expired"]
    assert ends == [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
