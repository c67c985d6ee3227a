"""Cancel and restore, with and without paid time left. Source: spec lifecycle, Term."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Unchanged

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOW = timedelta(0)
AGING_TIME = timedelta(days=34)
KEPT = (
    "state",
    "cycles_left",
    "billing_period",
    "period",
    "period_start",
    "expires_at",
    "aging_until",
    "anchor",
    "anchor_months",
    "free_days",
)
HANDED_ON = ["approved", "awaiting"]
NEW_DETAILS_REJECTED = ["approved", "expired", "pending", "rejected"]


def register(billing: Any, make: Any, states: list[str], at: Any) -> None:
    """Let verification publish these states one after the other."""
    for sequence, state in enumerate(states, start=10):
        billing.process(make.registration(state, at, sequence), at)


@pytest.mark.parametrize("left", [None, 2, 0])
def test_a_restoration_is_free_until_the_last_second_of_paid_time(
    start: Any, make: Any, moment: timedelta, left: int | None
) -> None:
    """The term is as it was before: same expiry, same cycles. A given billing period is ignored."""
    billing = start(billing_cycles=left)
    before = billing.term
    billing.process(make.cancel(), make.zero + DAY)
    assert (billing.term.state, billing.term.aging_until) == ("canceled", None)
    if moment < NOW:
        billing.process(make.restore(12), before.expires_at + moment)
        assert [getattr(billing.term, name) for name in KEPT] == [getattr(before, name) for name in KEPT]
        assert billing.bill() == "8.00"
        assert billing.published_data("term.changed")[-1].reason == "restored"
        return
    assert billing.process(make.restore(), before.expires_at + moment).code == "renewal_needed"
    assert billing.term.aging_until == before.expires_at + AGING_TIME


@pytest.mark.parametrize(
    ("left", "state"), [(None, "active"), (2, "active"), (1, "active"), (0, "delayed_removal")]
)
def test_a_restoration_after_the_paid_time_is_charged_and_begins_now(
    start: Any, make: Any, left: int | None, state: str
) -> None:
    """Cycles are as before. The given period is the DID's billing period from then on, anchored on this day."""
    billing = start(billing_cycles=left)
    billing.process(make.cancel())
    now = billing.term.expires_at + 10 * DAY
    billing.process(make.restore(3), now)
    term = billing.term
    assert (term.state, term.cycles_left, term.billing_period, term.aging_until) == (state, left, 3, None)
    assert (term.period_start, term.anchor, term.period) == (now, now, 2)
    assert (billing.ledger[-1].kind, str(billing.ledger[-1].amount)) == ("renewal", "15.00")
    assert (billing.ledger[-1].period_start, billing.ledger[-1].period_end) == (now, term.expires_at)
    assert billing.published_data("term.changed")[-1].reason == "restored"


def test_a_canceled_number_can_be_restored_until_the_last_second_of_34_days(
    start: Any, make: Any, moment: timedelta
) -> None:
    """At 34 days it is gone."""
    billing = start()
    billing.process(make.cancel())
    gone = billing.term.expires_at + AGING_TIME
    decision = billing.process(make.restore(1), gone + moment)
    if moment < NOW:
        assert (billing.term.state, billing.term.anchor) == ("active", gone + moment)
    else:
        assert (decision.code, billing.term.state) == ("not_found", "closed")


def test_a_canceled_number_never_renews_by_itself(start: Any, make: Any) -> None:
    """It has three cycles left. It ages from its end on, and nothing is charged any more."""
    billing = start(billing_cycles=3)
    billing.process(make.cancel())
    billing.run_timers(make.zero + 400 * DAY)
    assert (billing.outcomes(), billing.bill(), billing.term.cycles_left) == (["expired"], "8.00", 3)
    assert billing.published_data("did.removed")[0].reason == "aged_out"


def test_a_cancellation_at_the_end_of_a_period_comes_after_its_renewal(
    start: Any, make: Any, moment: timedelta
) -> None:
    """A second earlier the DID is canceled in the period that is paid."""
    billing = start()
    end = billing.term.expires_at
    billing.process(make.cancel(), end + moment)
    assert (billing.term.state, billing.term.expires_at == end) == ("canceled", moment < NOW)
    assert billing.bill() == ("8.00" if moment < NOW else "13.00")


@pytest.mark.parametrize(
    ("states", "remove", "state", "bill"),
    [
        (["awaiting"], False, "closed", "0.00"),
        (["awaiting"], True, "closed", "0.00"),
        (["rejected"], False, "closed", "0.00"),
        (["rejected"], True, "closed", "0.00"),
        (["pending"], False, "canceled", "8.00"),
        (["pending"], True, "closed", "8.00"),
        (["pending", "rejected"], False, "closed", "0.00"),
        (["approved"], False, "canceled", "8.00"),
        (["approved"], True, "canceled", "8.00"),
        (["not_required"], False, "canceled", "8.00"),
        (["not_required"], True, "canceled", "8.00"),
        (["approved", "expired"], False, "canceled", "8.00"),
        (["expired"], True, "canceled", "8.00"),
        (HANDED_ON, False, "canceled", "8.00"),
        (HANDED_ON, True, "canceled", "8.00"),
        (["not_required", "awaiting"], False, "canceled", "8.00"),
        (["approved", "expired", "pending"], True, "canceled", "8.00"),
        (NEW_DETAILS_REJECTED, False, "canceled", "8.00"),
    ],
)
def test_only_a_did_that_was_never_registered_is_removed_by_a_cancellation(
    start: Any, make: Any, *, states: list[str], remove: bool, state: str, bill: str
) -> None:
    """Awaiting and rejected: at once, with refund. Pending: on request, without refund. Else it is canceled."""
    billing = start("awaiting")
    register(billing, make, states, make.zero)
    billing.process(make.cancel(remove=remove), make.zero + DAY)
    assert (billing.term.state, billing.bill()) == (state, bill)
    removed = [(data.reason, data.refunded) for data in billing.published_data("did.removed")]
    assert removed == ([("canceled_awaiting_registration", bill == "0.00")] if state == "closed" else [])


@pytest.mark.parametrize("how", ["on the axis", "by the attempt"])
def test_a_number_of_11_months_whose_new_details_were_rejected_is_canceled_without_refund(
    start: Any, make: Any, how: str
) -> None:
    """Its registration was completed once. A rejected attempt may leave it approved, or not."""
    billing = start("approved")
    late = make.zero + 330 * DAY
    rejected = make.registration("rejected", late, 3)
    if how == "by the attempt":
        kept = rejected.data.model_copy(update={"registration": "approved"})
        rejected = replace(rejected, data=kept)
    billing.process(rejected, late)
    billing.process(make.cancel(), late + DAY)
    assert (billing.term.state, billing.bill()) == ("canceled", "58.00")
    assert [entry.kind for entry in billing.ledger].count("refund") == 0


@pytest.mark.parametrize(
    ("afterwards", "again"), [("pending", "term_ended"), ("rejected", None), ("approved", None)]
)
def test_a_did_that_was_canceled_under_review_ages_without_refund(
    start: Any, make: Any, afterwards: str, again: str | None
) -> None:
    """It gets no free day, whatever the reviewer decides later. Under review it is too late to ask for its removal."""
    billing = start("pending")
    end = billing.term.expires_at
    billing.process(make.cancel())
    register(billing, make, [afterwards], make.zero + DAY)
    decision = billing.process(make.cancel(remove=True), make.zero + DAY)
    assert decision == Unchanged() if again is None else decision.code == again
    billing.run_timers(end)
    assert (billing.term.state, billing.term.aging_until) == ("canceled", end + AGING_TIME)
    billing.run_timers(end + AGING_TIME)
    assert (billing.outcomes(), billing.bill()) == (["expired"], "8.00")
    assert billing.published_data("did.removed")[0].refunded is False


def test_a_cancellation_that_is_repeated_changes_nothing(start: Any, make: Any) -> None:
    """Neither before the end of paid time nor after it."""
    billing = start()
    billing.process(make.cancel())
    assert billing.process(make.cancel()) == Unchanged()
    assert billing.process(make.cancel(), billing.term.expires_at + SECOND) == Unchanged()


def test_a_did_that_was_restored_under_review_is_removed_and_refunded_if_it_is_rejected(
    start: Any, make: Any
) -> None:
    """It runs as before, so the end of its period finds that its registration was never completed."""
    billing = start("pending")
    billing.process(make.cancel())
    billing.process(make.restore(), make.zero + DAY)
    register(billing, make, ["rejected"], make.zero + 2 * DAY)
    billing.run_timers(billing.term.expires_at)
    assert (billing.outcomes(), billing.term.state, billing.bill()) == (["removed"], "closed", "0.00")
