"""Set cycles, renew, cancel, restore: what each does in each state, and each code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from didflow_billing.domain.wishes import cancel, renew, restore, set_cycles
from didflow_chassis.decision import Caller, Refused, Unchanged

DAY = timedelta(days=1)
POOL = timedelta(days=34)


def into_the_pool(running: Any, say: Any) -> datetime:
    """Let the term run out and give an instant in its pool."""
    running.process(say.set_cycles(0), say.zero)
    at: datetime = running.term.expires_at + 10 * DAY
    running.run_timers(at)
    return at


def test_zero_cycles_is_the_last_period_at_once_and_any_other_count_leaves_it(running: Any, say: Any) -> None:
    """0, then 3, then null: delayed removal, active, active without end; the end stays where it is."""
    end = running.term.expires_at
    for left, state in [(0, "delayed_removal"), (3, "active"), (None, "active"), (999, "active")]:
        running.process(say.set_cycles(left))
        assert (running.term.state, running.term.cycles_left, running.term.expires_at) == (state, left, end)
        assert running.published_data()[-1].reason == "cycles_set"
    assert running.bill() == "8.00"


def test_the_same_cycles_again_change_nothing(running: Any, say: Any) -> None:
    """No event for what is so already."""
    running.process(say.set_cycles(3))
    assert running.process(say.set_cycles(3)) == Unchanged()


@pytest.mark.parametrize("left", [-1, 1000])
def test_cycles_out_of_range_are_refused(running: Any, say: Any, left: int) -> None:
    """0 to 999 or null."""
    outcome = running.process(say.set_cycles(left))
    assert (outcome.code, outcome.field) == ("out_of_range", "billing_cycles")


def test_a_renewal_with_time_left_follows_on_the_current_end(running: Any, say: Any) -> None:
    """Paid now, counted from the kept anchor; the chosen period is the DID's from then on."""
    running.process(say.renew(3), say.zero + 5 * DAY)
    assert running.term.expires_at == datetime(2026, 5, 31, 12, 30, tzinfo=UTC)
    assert (running.term.billing_period, running.term.period) == (3, 1)
    entry = running.ledger[-1]
    assert (entry.kind, str(entry.amount), entry.posted_at) == ("renewal", "15.00", say.zero + 5 * DAY)
    assert entry.period_start == datetime(2026, 2, 28, 12, 30, tzinfo=UTC)
    running.run_timers(running.term.expires_at)
    assert running.term.expires_at == datetime(2026, 8, 31, 12, 30, tzinfo=UTC)


def test_a_renewal_leaves_the_cycles_as_they_are(running: Any, say: Any) -> None:
    """In the last period it stays the last one, only longer."""
    running.process(say.set_cycles(0))
    running.process(say.renew(1))
    assert (running.term.state, running.term.cycles_left) == ("delayed_removal", 0)


def test_a_renewal_from_the_pool_starts_now_and_comes_back_in_its_last_period(running: Any, say: Any) -> None:
    """Anchored anew on the day of the renewal; no cycles, so delayed removal."""
    at = into_the_pool(running, say)
    running.process(say.renew(1), at)
    assert (running.term.state, running.term.period_start, running.term.anchor) == ("delayed_removal", at, at)
    assert (running.term.aging_until, running.term.period) == (None, 2)
    assert running.published_data()[-2].reason == "renewed"
    assert running.bill() == "13.00"


@pytest.mark.parametrize(("early", "refusals"), [(timedelta(seconds=1), []), (timedelta(0), ["not_found"])])
def test_the_pool_can_be_left_until_its_last_second(
    running: Any, say: Any, early: timedelta, refusals: list[str]
) -> None:
    """34 days minus a second: renewed. 34 days: the clock was first, and the number is gone."""
    into_the_pool(running, say)
    running.process(say.renew(), running.term.aging_until - early)
    assert running.refusals() == refusals
    assert running.term.state == ("closed" if refusals else "delayed_removal")


def test_a_canceled_term_is_restored_before_it_is_renewed(running: Any, say: Any) -> None:
    """Whether time is left or not."""
    running.process(say.cancel())
    running.process(say.renew())
    running.process(say.renew(), running.term.expires_at + DAY)
    assert running.refusals() == ["restore_first", "restore_first"]


@pytest.mark.parametrize(("left", "state"), [(None, "active"), (2, "active"), (0, "delayed_removal")])
def test_a_cancellation_can_be_taken_back_free_while_time_is_left(
    running: Any, say: Any, left: int | None, state: str
) -> None:
    """As it was before; a billing period that is given is ignored."""
    running.process(say.set_cycles(left))
    before = running.term
    running.process(say.cancel())
    assert (running.term.state, running.published_data()[-1].reason) == ("canceled", "canceled")
    running.process(say.restore(12), before.expires_at - timedelta(seconds=1))
    assert running.term == before
    assert (running.term.state, running.published_data()[-1].reason, running.bill()) == (
        state,
        "restored",
        "8.00",
    )


def test_without_time_left_restoring_needs_a_renewal(running: Any, say: Any) -> None:
    """Refused without a period; with one it is paid and anchored anew, as it was before."""
    running.process(say.set_cycles(5))
    running.process(say.cancel())
    at = running.term.expires_at
    running.process(say.restore(), at)
    assert running.refusals() == ["renewal_needed"]
    running.process(say.restore(6), at + DAY)
    assert (running.term.state, running.term.cycles_left, running.term.billing_period) == ("active", 5, 6)
    assert (running.term.period_start, running.term.aging_until) == (at + DAY, None)
    assert running.bill() == "38.00"


def test_only_a_canceled_term_can_be_restored(running: Any, say: Any) -> None:
    """Neither a running one nor one that expired."""
    running.process(say.restore())
    at = into_the_pool(running, say)
    running.process(say.restore(1), at)
    assert running.refusals() == ["not_canceled", "not_canceled"]


def test_what_has_ended_takes_no_cycles_and_no_cancellation(running: Any, say: Any) -> None:
    """Canceled and aging are ended."""
    running.process(say.cancel())
    running.process(say.set_cycles(1))
    assert running.process(say.cancel()) == Unchanged()
    running.process(say.restore())
    at = into_the_pool(running, say)
    running.process(say.set_cycles(1), at)
    running.process(say.cancel(), at)
    assert running.refusals() == ["term_ended"] * 3


def test_without_a_price_nothing_can_be_wished(billing: Any, say: Any) -> None:
    """No term: each wish says so."""
    billing.process(say.unpriced())
    for wish in (say.set_cycles(1), say.renew(), say.cancel(), say.restore()):
        billing.process(wish)
    assert billing.refusals() == ["no_term"] * 4


def test_what_is_unknown_closed_or_anothers_is_not_found(running: Any, say: Any) -> None:
    """All alike, so that nobody learns what others hold."""
    foreign = Caller(subject="eve", account="master/acm", role="reseller")
    decisions: dict[Any, Any] = {
        set_cycles: say.set_cycles(1),
        renew: say.renew(),
        cancel: say.cancel(),
        restore: say.restore(),
    }
    for decide, wish in decisions.items():
        gone = structs.replace(running.term, state="closed")
        for term, command in [(None, wish), (gone, wish), (running.term, replace(wish, caller=foreign))]:
            assert decide(term, command, say.zero) == Refused("not_found", "there is no such number")


def test_an_operator_and_an_account_above_may(running: Any, say: Any) -> None:
    """Whole segments of the path count, and the operator sees all."""
    for caller in (
        Caller(subject="op", account="didflow", role="operator"),
        Caller(subject="top", account="master", role="master_reseller"),
    ):
        assert not isinstance(cancel(running.term, replace(say.cancel(), caller=caller), say.zero), Refused)


def test_nothing_is_canceled_before_verification_has_spoken(billing: Any, say: Any) -> None:
    """Whether to refund is not known yet; a renewal is possible all the same."""
    billing.process(say.purchased())
    billing.process(say.cancel())
    assert billing.refusals() == ["not_ready"]
    billing.process(say.renew(1), say.zero + 100 * DAY)
    assert billing.term.expires_at == datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("state", ["awaiting", "rejected"])
def test_canceling_an_unregistered_did_removes_and_refunds_it_at_once(
    awaiting: Any, say: Any, state: str
) -> None:
    """Nobody reviews it: all charges back, and gone."""
    awaiting.process(say.registration(state, say.zero + DAY, 2))
    awaiting.process(say.cancel(), say.zero + 2 * DAY)
    assert awaiting.topics()[-2:] == ["term.changed", "did.removed"]
    gone = awaiting.published_data()[-1]
    assert (gone.reason, gone.refunded) == ("canceled_awaiting_registration", True)
    assert awaiting.bill() == "0.00"


def test_canceling_a_did_under_review_cancels_or_removes_it_without_refund(
    new_billing: Any, say: Any
) -> None:
    """As wished: restorable until its end, or gone at once."""
    for remove, state in [(False, "canceled"), (True, "closed")]:
        billing = new_billing()
        for message in (say.purchased(), say.holding(), say.registration("pending")):
            billing.process(message)
        billing.process(say.cancel(remove=remove))
        assert (billing.term.state, billing.bill()) == (state, "8.00")
    assert (billing.published_data()[-1].reason, billing.published_data()[-1].refunded) == (
        "canceled_awaiting_registration",
        False,
    )


def test_a_did_canceled_under_review_is_not_refunded_at_its_end(awaiting: Any, say: Any) -> None:
    """Canceled and then rejected: it goes through the pool like any canceled term."""
    awaiting.process(say.registration("pending", say.zero, 2))
    awaiting.process(say.cancel())
    awaiting.process(say.registration("rejected", say.zero + DAY, 3))
    awaiting.run_timers(awaiting.term.expires_at + POOL)
    assert (awaiting.outcomes(), awaiting.bill()) == (["expired"], "8.00")


def test_canceled_under_review_then_asked_to_remove_is_ended_already(awaiting: Any, say: Any) -> None:
    """That wish is no repeat of the first one, so it is not answered as if it were done."""
    awaiting.process(say.registration("pending", say.zero, 2))
    awaiting.process(say.cancel())
    awaiting.process(say.cancel(remove=True))
    assert awaiting.refusals() == ["term_ended"]


@pytest.mark.parametrize("state", ["approved", "not_required", "expired"])
@pytest.mark.parametrize("remove", [False, True])
def test_canceling_a_registered_did_only_cancels(awaiting: Any, say: Any, state: str, remove: bool) -> None:
    """No refund and no removal, also when asked to remove."""
    awaiting.process(say.registration(state, say.zero, 2))
    awaiting.process(say.cancel(remove=remove))
    assert (awaiting.term.state, awaiting.bill()) == ("canceled", "8.00")


def test_a_handed_on_did_that_awaits_again_is_canceled_without_refund(awaiting: Any, say: Any) -> None:
    """It was registered once, so its charges stand."""
    awaiting.process(say.registration("approved", say.zero, 2))
    awaiting.process(say.registration("awaiting", say.zero, 3))
    awaiting.process(say.cancel())
    assert (awaiting.term.state, awaiting.bill()) == ("canceled", "8.00")
