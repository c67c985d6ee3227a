"""What the clock does at the end of paid time and at the end of the pool."""

from datetime import UTC, datetime, timedelta
from typing import Any

from didflow_billing.domain.expiry import on_due
from didflow_chassis.decision import Decided, Unchanged

SECOND = timedelta(seconds=1)


def test_nothing_is_due_before_verification_has_spoken(story: Any, say: Any) -> None:
    """A year without a word from verification: the term stands as it was, and the first word settles it."""
    story.take(say.purchased())
    year = say.zero + timedelta(days=364)
    story.clock(year)
    assert (story.last.due_at, story.last.period) == (None, 1)
    story.take(say.registration("not_required", year))
    story.clock(year)
    assert (story.last.period, story.bill()) == (12, "63.00")


def test_an_unlimited_term_renews_at_its_end(running: Any, say: Any) -> None:
    """A period ends, the next one is charged and follows on it, counted from the kept anchor."""
    end = running.last.expires_at
    running.clock(end)
    assert running.topics()[-3:] == ["cycle.expired", "term.changed", "ledger.posted"]
    ended, changed = running.said[-3][1], running.said[-2][1]
    assert (ended.period, ended.outcome, ended.expired_at) == (1, "renewed", end)
    assert (changed.reason, changed.period_start) == ("renewed", end)
    assert changed.expires_at == datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    assert (running.ledger[-1].kind, running.ledger[-1].posted_at) == ("renewal", end)
    assert (running.ledger[-1].period_start, running.ledger[-1].period_end) == (end, changed.expires_at)


def test_a_second_before_the_end_nothing_happens(running: Any, say: Any) -> None:
    """A timer that strikes early finds nothing due."""
    end = running.last.expires_at
    assert on_due(running.last, end - SECOND) == Unchanged()
    assert isinstance(on_due(running.last, end), Decided)


def test_a_timer_that_strikes_again_finds_nothing_due(running: Any, say: Any) -> None:
    """The renewal moved the end on, so the same instant is not due a second time."""
    end = running.last.expires_at
    running.clock(end)
    assert on_due(running.last, end) == Unchanged()


def test_counted_cycles_run_down_to_the_last_period_and_into_the_pool(running: Any, say: Any) -> None:
    """Two cycles: a renewal, a renewal into the last period, then the pool, then gone."""
    running.take(say.set_cycles(2))
    running.clock(say.zero + timedelta(days=365))
    assert running.outcomes() == ["renewed", "delayed_removal", "expired"]
    assert running.last.state == "closed"
    assert running.bill() == "18.00"
    reasons = [e.reason for _, e in running.said if e.topic == "term.changed"]
    assert reasons == ["started", "cycles_set", "renewed", "delayed", "expired", "closed"]


def test_the_pool_lasts_34_days_to_the_second(running: Any, say: Any) -> None:
    """A second before the end it is still there; at the end it is gone, with its reason."""
    running.take(say.set_cycles(0))
    end = running.last.expires_at
    running.clock(end)
    assert (running.last.state, running.last.aging_until) == ("aging", end + timedelta(days=34))
    running.clock(end + timedelta(days=34) - SECOND)
    assert running.last.state == "aging"
    running.clock(end + timedelta(days=34))
    assert (running.last.state, running.last.aging_until, running.last.due_at) == ("closed", None, None)
    gone = running.said[-1][1]
    assert (gone.topic, gone.reason, gone.refunded) == ("did.removed", "aged_out", False)


def test_a_canceled_term_goes_on_in_the_pool_and_never_renews(running: Any, say: Any) -> None:
    """It stays canceled at its end, gets its 34 days, and is removed after them."""
    running.take(say.cancel())
    end = running.last.expires_at
    running.clock(end)
    assert (running.last.state, running.last.aging_until) == ("canceled", end + timedelta(days=34))
    assert running.outcomes() == ["expired"]
    running.clock(end + timedelta(days=34))
    assert running.said[-1][1].reason == "aged_out"
    assert running.bill() == "8.00"


def test_a_term_without_price_never_ends(story: Any, say: Any) -> None:
    """`none` is never due."""
    story.take(say.unpriced())
    story.take(say.registration("awaiting"))
    story.clock(say.zero + timedelta(days=10_000))
    assert story.last.state == "none"


def test_every_end_of_a_monthly_term_from_the_31st_lies_on_the_last_day(running: Any, say: Any) -> None:
    """A year of renewals keeps the anchor: short months never drag the later ones down."""
    running.clock(datetime(2027, 1, 1, tzinfo=UTC))
    ends = [e.expired_at.day for _, e in running.said if e.topic == "cycle.expired"]
    assert ends == [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
