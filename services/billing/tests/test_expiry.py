"""What the clock does at the end of paid time and at the end of the pool."""

from datetime import UTC, datetime, timedelta
from typing import Any

from didflow_billing.domain.expiry import on_due
from didflow_chassis.decision import Decided, Unchanged

SECOND = timedelta(seconds=1)


def test_nothing_is_due_before_verification_has_spoken(billing: Any, say: Any) -> None:
    """A year without a word from verification: the term stands as it was, and the first word settles it."""
    billing.process(say.purchased())
    year = say.zero + timedelta(days=364)
    billing.run_timers(year)
    assert (billing.term.due_at, billing.term.period) == (None, 1)
    billing.process(say.registration("not_required", year))
    billing.run_timers(year)
    assert (billing.term.period, billing.bill()) == (12, "63.00")


def test_an_unlimited_term_renews_at_its_end(running: Any, say: Any) -> None:
    """A period ends, the next one is charged and follows on it, counted from the kept anchor."""
    end = running.term.expires_at
    running.run_timers(end)
    assert running.topics()[-3:] == ["cycle.expired", "term.changed", "ledger.posted"]
    ended, changed = running.published_data()[-3], running.published_data()[-2]
    assert (ended.period, ended.outcome, ended.expired_at) == (1, "renewed", end)
    assert (changed.reason, changed.period_start) == ("renewed", end)
    assert changed.expires_at == datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    assert (running.ledger[-1].kind, running.ledger[-1].posted_at) == ("renewal", end)
    assert (running.ledger[-1].period_start, running.ledger[-1].period_end) == (end, changed.expires_at)


def test_a_second_before_the_end_nothing_happens(running: Any, say: Any) -> None:
    """A timer that strikes early finds nothing due."""
    end = running.term.expires_at
    assert on_due(running.term, end - SECOND) == Unchanged()
    assert isinstance(on_due(running.term, end), Decided)


def test_a_timer_that_strikes_again_finds_nothing_due(running: Any, say: Any) -> None:
    """The renewal moved the end on, so the same instant is not due a second time."""
    end = running.term.expires_at
    running.run_timers(end)
    assert on_due(running.term, end) == Unchanged()


def test_counted_cycles_run_down_to_the_last_period_and_into_the_pool(running: Any, say: Any) -> None:
    """Two cycles: a renewal, a renewal into the last period, then the pool, then gone."""
    running.process(say.set_cycles(2))
    running.run_timers(say.zero + timedelta(days=365))
    assert running.outcomes() == ["renewed", "delayed_removal", "expired"]
    assert running.term.state == "closed"
    assert running.bill() == "18.00"
    reasons = [e.reason for e in running.published_data() if e.topic == "term.changed"]
    assert reasons == ["started", "cycles_set", "renewed", "delayed", "expired", "closed"]


def test_the_pool_lasts_34_days_to_the_second(running: Any, say: Any) -> None:
    """A second before the end it is still there; at the end it is gone, with its reason."""
    running.process(say.set_cycles(0))
    end = running.term.expires_at
    running.run_timers(end)
    assert (running.term.state, running.term.aging_until) == ("aging", end + timedelta(days=34))
    running.run_timers(end + timedelta(days=34) - SECOND)
    assert running.term.state == "aging"
    running.run_timers(end + timedelta(days=34))
    assert (running.term.state, running.term.aging_until, running.term.due_at) == ("closed", None, None)
    gone = running.published_data()[-1]
    assert (gone.topic, gone.reason, gone.refunded) == ("did.removed", "aged_out", False)


def test_a_canceled_term_goes_on_in_the_pool_and_never_renews(running: Any, say: Any) -> None:
    """It stays canceled at its end, gets its 34 days, and is removed after them."""
    running.process(say.cancel())
    end = running.term.expires_at
    running.run_timers(end)
    assert (running.term.state, running.term.aging_until) == ("canceled", end + timedelta(days=34))
    assert running.outcomes() == ["expired"]
    running.run_timers(end + timedelta(days=34))
    assert running.published_data()[-1].reason == "aged_out"
    assert running.bill() == "8.00"


def test_a_term_without_price_never_ends(billing: Any, say: Any) -> None:
    """`none` is never due."""
    billing.process(say.unpriced())
    billing.process(say.registration("awaiting"))
    billing.run_timers(say.zero + timedelta(days=10_000))
    assert billing.term.state == "none"


def test_every_end_of_a_monthly_term_from_the_31st_lies_on_the_last_day(running: Any, say: Any) -> None:
    """A year of renewals keeps the anchor: short months never drag the later ones down."""
    running.run_timers(datetime(2027, 1, 1, tzinfo=UTC))
    ends = [e.expired_at.day for e in running.published_data() if e.topic == "cycle.expired"]
    assert ends == [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
