"""Set cycles, renew, cancel, restore: the effect in each state, and each refusal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from didflow_billing.domain.term_changes import NOT_FOUND, cancel, renew, restore, set_cycles
from didflow_chassis.decision import Caller, Refused, Unchanged

DAY = timedelta(days=1)
AGING_TIME = timedelta(days=34)


def let_expire(running: Any, make: Any) -> datetime:
    """Let the term expire. Return an instant at which it is aging."""
    running.process(make.set_cycles(0), make.zero)
    at: datetime = running.term.expires_at + 10 * DAY
    running.run_timers(at)
    return at


def test_zero_cycles_start_delayed_removal_at_once_and_other_counts_end_it(running: Any, make: Any) -> None:
    """The end of the period stays the same."""
    end = running.term.expires_at
    for left, state in [(0, "delayed_removal"), (3, "active"), (None, "active"), (999, "active")]:
        running.process(make.set_cycles(left))
        assert (running.term.state, running.term.cycles_left, running.term.expires_at) == (state, left, end)
        assert running.published_data()[-1].reason == "cycles_set"
    assert running.bill() == "8.00"


def test_the_same_cycles_again_change_nothing(running: Any, make: Any) -> None:
    """No event is published."""
    running.process(make.set_cycles(3))
    assert running.process(make.set_cycles(3)) == Unchanged()


@pytest.mark.parametrize("left", [-1, 1000])
def test_cycles_out_of_range_are_refused(running: Any, make: Any, left: int) -> None:
    """Cycles are 0 to 999, or null."""
    outcome = running.process(make.set_cycles(left))
    assert (outcome.code, outcome.field) == ("out_of_range", "billing_cycles")


def test_a_renewal_with_paid_time_left_starts_at_the_current_end(running: Any, make: Any) -> None:
    """It is charged now. The chosen billing period is kept for later renewals."""
    running.process(make.renew(3), make.zero + 5 * DAY)
    assert running.term.expires_at == datetime(2026, 5, 31, 12, 30, tzinfo=UTC)
    assert (running.term.billing_period, running.term.period) == (3, 1)
    entry = running.ledger[-1]
    assert (entry.kind, str(entry.amount), entry.posted_at) == ("renewal", "15.00", make.zero + 5 * DAY)
    assert entry.period_start == datetime(2026, 2, 28, 12, 30, tzinfo=UTC)
    running.run_timers(running.term.expires_at)
    assert running.term.expires_at == datetime(2026, 8, 31, 12, 30, tzinfo=UTC)


def test_a_renewal_does_not_change_the_cycles(running: Any, make: Any) -> None:
    """A term in its last period stays in it."""
    running.process(make.set_cycles(0))
    running.process(make.renew(1))
    assert (running.term.state, running.term.cycles_left) == ("delayed_removal", 0)


def test_the_renewal_of_an_aging_term_starts_now_in_delayed_removal(running: Any, make: Any) -> None:
    """The instant of the renewal is the new anchor. There are no cycles left."""
    at = let_expire(running, make)
    running.process(make.renew(1), at)
    assert (running.term.state, running.term.period_start, running.term.anchor) == ("delayed_removal", at, at)
    assert (running.term.aging_until, running.term.period) == (None, 2)
    assert running.published_data()[-2].reason == "renewed"
    assert running.bill() == "13.00"


@pytest.mark.parametrize(("early", "refusals"), [(timedelta(seconds=1), []), (timedelta(0), ["not_found"])])
def test_an_aging_term_can_be_renewed_until_the_last_second(
    running: Any, make: Any, early: timedelta, refusals: list[str]
) -> None:
    """After exactly 34 days the DID is removed before the command is decided."""
    let_expire(running, make)
    running.process(make.renew(), running.term.aging_until - early)
    assert running.refusals() == refusals
    assert running.term.state == ("closed" if refusals else "delayed_removal")


def test_a_canceled_term_must_be_restored_before_it_is_renewed(running: Any, make: Any) -> None:
    """This holds with and without paid time left."""
    running.process(make.cancel())
    running.process(make.renew())
    running.process(make.renew(), running.term.expires_at + DAY)
    assert running.refusals() == ["restore_first", "restore_first"]


@pytest.mark.parametrize(("left", "state"), [(None, "active"), (2, "active"), (0, "delayed_removal")])
def test_restoring_is_free_while_paid_time_is_left(
    running: Any, make: Any, left: int | None, state: str
) -> None:
    """The term is as it was before. A given billing period is ignored."""
    running.process(make.set_cycles(left))
    before = running.term
    running.process(make.cancel())
    assert (running.term.state, running.published_data()[-1].reason) == ("canceled", "canceled")
    running.process(make.restore(12), before.expires_at - timedelta(seconds=1))
    assert running.term == before
    assert (running.term.state, running.published_data()[-1].reason, running.bill()) == (
        state,
        "restored",
        "8.00",
    )


def test_restoring_without_paid_time_left_needs_a_renewal(running: Any, make: Any) -> None:
    """The renewal is charged, and its instant is the new anchor. The cycles stay."""
    running.process(make.set_cycles(5))
    running.process(make.cancel())
    at = running.term.expires_at
    running.process(make.restore(), at)
    assert running.refusals() == ["renewal_needed"]
    running.process(make.restore(6), at + DAY)
    assert (running.term.state, running.term.cycles_left, running.term.billing_period) == ("active", 5, 6)
    assert (running.term.period_start, running.term.aging_until) == (at + DAY, None)
    assert running.bill() == "38.00"


def test_only_a_canceled_term_can_be_restored(running: Any, make: Any) -> None:
    """A running term and an aging term are refused."""
    running.process(make.restore())
    at = let_expire(running, make)
    running.process(make.restore(1), at)
    assert running.refusals() == ["not_canceled", "not_canceled"]


def test_an_ended_term_takes_no_cycles_and_no_cancellation(running: Any, make: Any) -> None:
    """Canceled and aging terms have ended."""
    running.process(make.cancel())
    running.process(make.set_cycles(1))
    assert running.process(make.cancel()) == Unchanged()
    running.process(make.restore())
    at = let_expire(running, make)
    running.process(make.set_cycles(1), at)
    running.process(make.cancel(), at)
    assert running.refusals() == ["term_ended"] * 3


def test_every_command_is_refused_without_a_price(billing: Any, make: Any) -> None:
    """The code is `no_term`."""
    billing.process(make.unpriced())
    for command in (make.set_cycles(1), make.renew(), make.cancel(), make.restore()):
        billing.process(command)
    assert billing.refusals() == ["no_term"] * 4


def test_unknown_closed_and_foreign_terms_are_refused_alike(running: Any, make: Any) -> None:
    """So nobody learns which numbers other accounts hold."""
    foreign = Caller(subject="eve", account="master/acm", role="reseller")
    decisions: dict[Any, Any] = {
        set_cycles: make.set_cycles(1),
        renew: make.renew(),
        cancel: make.cancel(),
        restore: make.restore(),
    }
    for decide, command in decisions.items():
        removed = structs.replace(running.term, state="closed")
        for term, caller in [(None, make.caller), (removed, make.caller), (running.term, foreign)]:
            assert decide(term, replace(command, caller=caller), make.zero) == NOT_FOUND


def test_an_operator_and_an_account_above_may_change_the_term(running: Any, make: Any) -> None:
    """Whole segments of the account path are compared."""
    for caller in (
        Caller(subject="op", account="didflow", role="operator"),
        Caller(subject="top", account="master", role="master_reseller"),
    ):
        assert not isinstance(cancel(running.term, replace(make.cancel(), caller=caller), make.zero), Refused)


def test_a_term_cannot_be_canceled_before_verification_has_answered(billing: Any, make: Any) -> None:
    """It is not known yet whether to refund. A renewal is possible."""
    billing.process(make.purchased())
    billing.process(make.cancel())
    assert billing.refusals() == ["not_ready"]
    billing.process(make.renew(1), make.zero + 100 * DAY)
    assert billing.term.expires_at == datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("state", ["awaiting", "rejected"])
def test_canceling_a_did_without_registration_removes_and_refunds_it_at_once(
    awaiting: Any, make: Any, state: str
) -> None:
    """Nobody reviews its details."""
    awaiting.process(make.registration(state, make.zero + DAY, 2))
    awaiting.process(make.cancel(), make.zero + 2 * DAY)
    assert awaiting.topics()[-2:] == ["term.changed", "did.removed"]
    removed = awaiting.published_data()[-1]
    assert (removed.reason, removed.refunded) == ("canceled_awaiting_registration", True)
    assert awaiting.bill() == "0.00"


def test_canceling_a_did_under_review_cancels_or_removes_it_without_refund(
    new_billing: Any, make: Any
) -> None:
    """`remove` removes it at once. Without it the term can be restored until its end."""
    for remove, state in [(False, "canceled"), (True, "closed")]:
        billing = new_billing()
        for message in (make.purchased(), make.did_changed(), make.registration("pending")):
            billing.process(message)
        billing.process(make.cancel(remove=remove))
        assert (billing.term.state, billing.bill()) == (state, "8.00")
    assert (billing.published_data()[-1].reason, billing.published_data()[-1].refunded) == (
        "canceled_awaiting_registration",
        False,
    )


def test_a_did_canceled_under_review_is_not_refunded_at_its_end(awaiting: Any, make: Any) -> None:
    """It is rejected later, and ages like any canceled term."""
    awaiting.process(make.registration("pending", make.zero, 2))
    awaiting.process(make.cancel())
    awaiting.process(make.registration("rejected", make.zero + DAY, 3))
    awaiting.run_timers(awaiting.term.expires_at + AGING_TIME)
    assert (awaiting.outcomes(), awaiting.bill()) == (["expired"], "8.00")


def test_removing_a_did_that_was_canceled_under_review_is_refused(awaiting: Any, make: Any) -> None:
    """It is not a repeat of the first command, so it is not reported as unchanged."""
    awaiting.process(make.registration("pending", make.zero, 2))
    awaiting.process(make.cancel())
    awaiting.process(make.cancel(remove=True))
    assert awaiting.refusals() == ["term_ended"]


@pytest.mark.parametrize("state", ["approved", "not_required", "expired"])
@pytest.mark.parametrize("remove", [False, True])
def test_canceling_a_registered_did_neither_refunds_nor_removes_it(
    awaiting: Any, make: Any, state: str, remove: bool
) -> None:
    """`remove` has no effect."""
    awaiting.process(make.registration(state, make.zero, 2))
    awaiting.process(make.cancel(remove=remove))
    assert (awaiting.term.state, awaiting.bill()) == ("canceled", "8.00")


def test_a_did_that_was_registered_once_is_canceled_without_refund(awaiting: Any, make: Any) -> None:
    """It awaits the details of another end user."""
    awaiting.process(make.registration("approved", make.zero, 2))
    awaiting.process(make.registration("awaiting", make.zero, 3))
    awaiting.process(make.cancel())
    assert (awaiting.term.state, awaiting.bill()) == ("canceled", "8.00")
