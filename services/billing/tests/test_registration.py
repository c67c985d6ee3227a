"""A registration that is never completed ends the DID; one that was completed never does."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import TooEarly, Unchanged

DAY = timedelta(days=1)


@pytest.mark.parametrize("state", ["awaiting", "rejected"])
def test_without_details_the_first_period_ends_in_removal_and_refund(
    awaiting: Any, say: Any, state: Any
) -> None:
    """Cycles are not looked at: all is taken back and the DID is gone."""
    awaiting.process(say.registration(state, say.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.run_timers(end)
    assert awaiting.topics()[-5:] == [
        "cycle.expired",
        "ledger.posted",
        "ledger.posted",
        "term.changed",
        "did.removed",
    ]
    gone = awaiting.published_data()[-1]
    assert (gone.reason, gone.refunded) == ("registration_not_completed", True)
    assert (awaiting.outcomes(), awaiting.bill(), awaiting.term.state) == (["removed"], "0.00", "closed")


def test_a_review_extends_the_period_day_by_day_for_30_days(awaiting: Any, say: Any) -> None:
    """No charge and no cycle for it; on the thirtieth day the patience ends with a full refund."""
    awaiting.process(say.set_cycles(0))
    awaiting.process(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.run_timers(end + 30 * DAY - timedelta(seconds=1))
    assert awaiting.outcomes() == ["extended"] * 30
    assert (awaiting.term.expires_at, awaiting.term.state) == (end + 30 * DAY, "delayed_removal")
    assert (awaiting.term.cycles_left, awaiting.bill()) == (0, "8.00")
    awaiting.run_timers(end + 30 * DAY)
    assert (awaiting.outcomes()[-1], awaiting.bill()) == ("removed", "0.00")


def test_an_approval_during_the_extension_renews_at_the_end_of_that_day_from_there(
    awaiting: Any, say: Any
) -> None:
    """The next period is anchored where the free days end."""
    awaiting.process(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.process(say.registration("approved", end + 2.5 * DAY, 3))
    awaiting.run_timers(end + 3 * DAY)
    assert awaiting.outcomes() == ["extended", "extended", "extended", "renewed"]
    assert awaiting.term.period_start == end + 3 * DAY
    assert awaiting.term.anchor == end + 3 * DAY
    assert (awaiting.term.period, awaiting.bill()) == (2, "13.00")


def test_a_rejection_during_the_extension_ends_it_with_that_day(awaiting: Any, say: Any) -> None:
    """Removed and refunded at the end of the day, not before it."""
    awaiting.process(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.process(say.registration("rejected", end + 0.5 * DAY, 3))
    assert awaiting.term.state == "active"
    awaiting.run_timers(end + DAY)
    assert (awaiting.outcomes(), awaiting.bill()) == (["extended", "removed"], "0.00")


def test_a_completed_registration_is_never_refunded_by_this_rule(awaiting: Any, say: Any) -> None:
    """Approved once, awaiting again for another end user: the term renews as any other."""
    awaiting.process(say.registration("approved", say.zero + DAY, 2))
    awaiting.process(say.registration("awaiting", say.zero + 2 * DAY, 3))
    awaiting.run_timers(awaiting.term.expires_at)
    assert (awaiting.outcomes(), awaiting.bill()) == (["renewed"], "13.00")


@pytest.mark.parametrize("proof", ["approved", "not_required", "expired"])
def test_an_older_word_still_proves_that_it_was_completed(awaiting: Any, say: Any, proof: Any) -> None:
    """The approval comes after the later handing on: the axis stays, the proof counts."""
    awaiting.process(say.registration("awaiting", say.zero + 2 * DAY, 3))
    awaiting.process(say.registration(proof, say.zero + 2 * DAY, 2))
    assert (awaiting.term.registration, awaiting.term.completed) == ("awaiting", True)


def test_an_older_word_changes_nothing_else(awaiting: Any, say: Any) -> None:
    """Lower sequence: the registration received last stays."""
    awaiting.process(say.registration("rejected", say.zero + DAY, 3))
    assert awaiting.process(say.registration("pending", say.zero + DAY, 2)) == Unchanged()
    assert awaiting.term.registration == "rejected"


def test_the_registration_is_what_the_event_says_whatever_its_topic(awaiting: Any, say: Any) -> None:
    """A rejected attempt on an approved DID leaves it approved."""
    event = say.registration("rejected", say.zero + DAY, 2)
    kept = event.data.model_copy(update={"registration": "approved"})
    awaiting.process(say.event(kept, event.time, event.source, 2))
    assert (awaiting.term.registration, awaiting.term.completed) == ("approved", True)


def test_a_registration_before_its_purchase_waits_and_a_closed_term_stays_closed(
    billing: Any, say: Any
) -> None:
    """Too early it is parked; after the end it is kept, and nothing follows."""
    assert isinstance(billing.process(say.registration("awaiting")), TooEarly)
    billing.process(say.purchased())
    assert billing.term.registration == "awaiting"
    billing.process(say.refused())
    billing.process(say.registration("approved", say.zero, 2))
    assert (billing.term.state, billing.term.due_at, billing.bill()) == ("closed", None, "0.00")


def test_charges_are_forgotten_when_nothing_can_be_refunded_any_more(awaiting: Any, say: Any) -> None:
    """Kept while registration is open; gone once it is completed for an accepted DID."""
    assert len(awaiting.term.charges) == 2
    awaiting.process(say.registration("approved", say.zero + DAY, 2))
    assert awaiting.term.charges == ()


def test_charges_are_kept_until_inventory_has_accepted(billing: Any, say: Any) -> None:
    """A number that needs no registration can still be refused by inventory, and then refunded."""
    billing.process(say.purchased())
    billing.process(say.registration("not_required"))
    assert len(billing.term.charges) == 2
    billing.process(say.holding())
    assert billing.term.charges == ()


def test_a_manual_renewal_of_an_unregistered_did_is_refunded_with_the_rest(awaiting: Any, say: Any) -> None:
    """In full means every charge of the DID."""
    awaiting.process(say.renew(3))
    awaiting.run_timers(awaiting.term.expires_at)
    assert (len(awaiting.ledger), awaiting.bill()) == (6, "0.00")


@pytest.mark.parametrize("left_for_the_pool", [False, True])
def test_a_paid_period_is_followed_by_30_free_days_of_its_own(
    awaiting: Any,
    say: Any,
    left_for_the_pool: bool,
) -> None:
    """Time bought during a review, at its end or out of the pool, makes the patience start again."""
    awaiting.process(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.run_timers(end + 20 * DAY)
    if left_for_the_pool:
        awaiting.process(say.cancel(), end + 20 * DAY)
        awaiting.process(say.restore(1), end + 30 * DAY)
    else:
        awaiting.process(say.renew(1), end + 20 * DAY)
    again = awaiting.term.expires_at
    awaiting.run_timers(again + 30 * DAY - timedelta(seconds=1))
    assert awaiting.term.state == "active"
    awaiting.run_timers(again + 30 * DAY)
    assert (awaiting.term.state, awaiting.bill()) == ("closed", "0.00")
