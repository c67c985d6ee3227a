"""A registration that is never completed: removed, refunded, extended. Source: spec lifecycle, Term."""

from datetime import timedelta
from typing import Any

import pytest

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOW = timedelta(0)
MONTH = 28 * DAY
"""From the purchase on 31 January to the end of its first month."""

REFUNDED = ("closed", "0.00")


@pytest.mark.parametrize("cycles", [None, 0, 5])
@pytest.mark.parametrize("state", ["awaiting", "rejected"])
def test_without_details_the_did_is_removed_and_refunded_at_the_end_of_its_first_period(
    start: Any, moment: timedelta, state: str, cycles: int | None
) -> None:
    """This comes before the cycles are looked at."""
    billing = start(state, billing_cycles=cycles)
    end = billing.term.expires_at
    billing.run_timers(end + moment)
    if moment < NOW:
        assert (billing.outcomes(), billing.bill()) == ([], "8.00")
        return
    assert (billing.outcomes(), billing.term.state, billing.bill()) == (["removed"], *REFUNDED)
    assert {event.time for event in billing.published()[-5:]} == {end}
    assert [event.data.topic for event in billing.published()[-5:]] == [
        "cycle.expired",
        "ledger.posted",
        "ledger.posted",
        "term.changed",
        "did.removed",
    ]
    removed = billing.published_data()[-1]
    assert (removed.reason, removed.refunded) == ("registration_not_completed", True)


@pytest.mark.parametrize("months", [3, 12])
def test_the_first_period_can_have_more_months(start: Any, make: Any, months: int) -> None:
    """A DID without details is there until its end."""
    billing = start("awaiting", billing_period=months)
    end = billing.term.expires_at
    billing.run_timers(end - SECOND)
    assert billing.term.state == "active"
    billing.run_timers(end)
    assert (billing.term.state, billing.bill()) == REFUNDED


@pytest.mark.parametrize("cycles", [None, 0, 5])
@pytest.mark.parametrize("days", range(29, 32))
def test_a_review_extends_the_period_by_30_free_days_at_most(
    start: Any, moment: timedelta, cycles: int | None, days: int
) -> None:
    """Each day costs no charge and no cycle, and is the new anchor. After the thirtieth the DID is refunded."""
    billing = start("pending", billing_cycles=cycles)
    first = billing.term
    at = first.expires_at + days * DAY + moment
    billing.run_timers(at)
    passed = (at - first.expires_at) // DAY + 1
    assert billing.outcomes() == ["extended"] * min(passed, 30) + ["removed"] * (passed > 30)
    if passed > 30:
        assert (billing.term.state, billing.bill()) == REFUNDED
        assert billing.published("did.removed")[0].time == first.expires_at + 30 * DAY
        return
    term = billing.term
    assert (term.state, term.cycles_left, term.period, billing.bill()) == (first.state, cycles, 1, "8.00")
    assert term.expires_at == term.anchor == first.expires_at + passed * DAY
    assert {event.period for event in billing.published_data("cycle.expired")} == {1}


@pytest.mark.parametrize(
    ("before", "to", "in_time", "too_late"),
    [
        ("awaiting", "pending", ["extended"], ["removed"]),
        ("awaiting", "approved", ["renewed"], ["removed"]),
        ("awaiting", "not_required", ["renewed"], ["removed"]),
        ("rejected", "pending", ["extended"], ["removed"]),
        ("pending", "approved", ["renewed"], ["extended", "renewed"]),
        ("pending", "rejected", ["removed"], ["extended", "removed"]),
        ("pending", "awaiting", ["removed"], ["extended", "removed"]),
        ("approved", "expired", ["renewed"], ["renewed"]),
        ("approved", "awaiting", ["renewed"], ["renewed"]),
    ],
)
def test_an_answer_at_the_end_of_the_period_comes_too_late_for_it(
    start: Any, make: Any, *, moment: timedelta, before: str, to: str, in_time: list[str], too_late: list[str]
) -> None:
    """A second earlier it decides what the end of the period brings. During an extension its day is completed."""
    billing = start(before)
    end = billing.term.expires_at
    billing.process(make.registration(to, end + moment, 2))
    billing.run_timers(end + DAY)
    assert billing.outcomes() == (
        in_time + (["extended"] if in_time == ["extended"] else []) if moment < NOW else too_late
    )


@pytest.mark.parametrize("day", [1, 15, 30])
@pytest.mark.parametrize("state", ["rejected", "awaiting"])
def test_a_rejection_during_the_extension_removes_the_did_at_the_end_of_that_day(
    start: Any, make: Any, day: int, state: str
) -> None:
    """It is refunded, and not a second earlier. The same holds for details of another end user."""
    billing = start("pending")
    end = billing.term.expires_at + day * DAY
    billing.process(make.registration(state, end - DAY + SECOND, 2))
    billing.run_timers(end - SECOND)
    assert (billing.outcomes(), billing.term.state) == (["extended"] * day, "active")
    billing.run_timers(end)
    assert (billing.outcomes()[-1], billing.term.state, billing.bill()) == ("removed", *REFUNDED)
    assert billing.published("did.removed")[0].time == end


@pytest.mark.parametrize(
    ("cycles", "state", "left", "bill"),
    [(None, "active", None, "13.00"), (1, "delayed_removal", 0, "13.00"), (0, "aging", 0, "8.00")],
)
def test_an_approval_during_the_extension_lets_the_cycles_decide_at_the_end_of_that_day(
    start: Any, make: Any, *, cycles: int | None, state: str, left: int | None, bill: str
) -> None:
    """The end of that day is the anchor of the next period."""
    billing = start("pending", billing_cycles=cycles)
    day = billing.term.expires_at + 3 * DAY
    billing.process(make.registration("approved", day - SECOND, 2))
    billing.run_timers(day - SECOND)
    assert billing.outcomes() == ["extended"] * 3
    billing.run_timers(day)
    term = billing.term
    assert (term.state, term.cycles_left, billing.bill(), term.anchor) == (state, left, bill, day)
    if state != "aging":
        assert (term.period_start, term.expires_at) == (day, day.replace(month=4))
    billing.run_timers(day + 400 * DAY)
    assert "extended" not in billing.outcomes()[3:]


@pytest.mark.parametrize(
    "later",
    [["awaiting"], ["awaiting", "pending"], ["expired", "rejected"], ["expired", "pending", "rejected"]],
)
@pytest.mark.parametrize("completed", ["approved", "not_required", "expired"])
def test_a_did_that_was_registered_once_renews_whatever_happens_later(
    start: Any, make: Any, completed: str, later: list[str]
) -> None:
    """It is never extended, removed or refunded by this rule: it was handed to another end user, or lapsed."""
    billing = start("awaiting")
    for sequence, state in enumerate([completed, *later], start=2):
        billing.process(make.registration(state, make.zero + sequence * SECOND, sequence))
    billing.run_timers(billing.term.expires_at)
    assert (billing.outcomes(), billing.bill(), billing.term.charges) == (["renewed"], "13.00", ())


def test_a_free_day_is_paid_time_for_a_cancellation(start: Any, make: Any, moment: timedelta) -> None:
    """Canceled during a free day, the DID can be restored free until its end, and is extended again then."""
    billing = start("pending")
    end = billing.term.expires_at + 2 * DAY
    billing.process(make.cancel(), end - SECOND)
    decision = billing.process(make.restore(), end + moment)
    if moment < NOW:
        billing.run_timers(end)
        assert (billing.outcomes(), billing.term.free_days) == (["extended"] * 3, 3)
    else:
        assert (decision.code, billing.outcomes()[-1]) == ("renewal_needed", "expired")


def test_a_renewal_during_the_extension_starts_at_the_end_of_the_free_day(start: Any, make: Any) -> None:
    """That end is the anchor. All charges are refunded together if the review never ends."""
    billing = start("pending")
    end = billing.term.expires_at + 3 * DAY
    billing.process(make.renew(1), end - SECOND)
    assert (billing.ledger[-1].period_start, billing.term.expires_at) == (end, end.replace(month=4))
    billing.run_timers(billing.term.expires_at + 30 * DAY)
    assert (billing.term.state, billing.bill(), len(billing.ledger)) == (*REFUNDED, 6)


@pytest.mark.parametrize("after_aging", [False, True])
def test_each_paid_period_can_be_extended_by_30_free_days(start: Any, make: Any, after_aging: bool) -> None:
    """A renewal during the review, before or after the end of paid time, starts the count of free days anew."""
    billing = start("pending")
    day = billing.term.expires_at + 20 * DAY
    billing.run_timers(day)
    if after_aging:
        billing.process(make.cancel(), day)
        billing.process(make.restore(1), day + 10 * DAY)
    else:
        billing.process(make.renew(1), day)
    again = billing.term.expires_at + 30 * DAY
    billing.run_timers(again - SECOND)
    assert billing.term.state == "active"
    billing.run_timers(again)
    assert (billing.term.state, billing.bill()) == REFUNDED
