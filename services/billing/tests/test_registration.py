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
    awaiting.take(say.registration(state, say.zero + DAY, 2))
    end = awaiting.last.expires_at
    awaiting.clock(end)
    assert awaiting.topics()[-5:] == [
        "cycle.expired",
        "ledger.posted",
        "ledger.posted",
        "term.changed",
        "did.removed",
    ]
    gone = awaiting.said[-1][1]
    assert (gone.reason, gone.refunded) == ("registration_not_completed", True)
    assert (awaiting.outcomes(), awaiting.bill(), awaiting.last.state) == (["removed"], "0.00", "closed")


def test_a_review_extends_the_period_day_by_day_for_30_days(awaiting: Any, say: Any) -> None:
    """No charge and no cycle for it; on the thirtieth day the patience ends with a full refund."""
    awaiting.take(say.set_cycles(0))
    awaiting.take(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.last.expires_at
    awaiting.clock(end + 30 * DAY - timedelta(seconds=1))
    assert awaiting.outcomes() == ["extended"] * 30
    assert (awaiting.last.expires_at, awaiting.last.state) == (end + 30 * DAY, "delayed_removal")
    assert (awaiting.last.cycles_left, awaiting.bill()) == (0, "8.00")
    awaiting.clock(end + 30 * DAY)
    assert (awaiting.outcomes()[-1], awaiting.bill()) == ("removed", "0.00")


def test_an_approval_during_the_extension_renews_at_the_end_of_that_day_from_there(
    awaiting: Any, say: Any
) -> None:
    """The next period is anchored where the free days end."""
    awaiting.take(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.last.expires_at
    awaiting.take(say.registration("approved", end + 2.5 * DAY, 3))
    awaiting.clock(end + 3 * DAY)
    assert awaiting.outcomes() == ["extended", "extended", "extended", "renewed"]
    assert awaiting.last.period_start == end + 3 * DAY
    assert awaiting.last.anchor == end + 3 * DAY
    assert (awaiting.last.period, awaiting.bill()) == (2, "13.00")


def test_a_rejection_during_the_extension_ends_it_with_that_day(awaiting: Any, say: Any) -> None:
    """Removed and refunded at the end of the day, not before it."""
    awaiting.take(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.last.expires_at
    awaiting.take(say.registration("rejected", end + 0.5 * DAY, 3))
    assert awaiting.last.state == "active"
    awaiting.clock(end + DAY)
    assert (awaiting.outcomes(), awaiting.bill()) == (["extended", "removed"], "0.00")


def test_a_completed_registration_is_never_refunded_by_this_rule(awaiting: Any, say: Any) -> None:
    """Approved once, awaiting again for another end user: the term renews as any other."""
    awaiting.take(say.registration("approved", say.zero + DAY, 2))
    awaiting.take(say.registration("awaiting", say.zero + 2 * DAY, 3))
    awaiting.clock(awaiting.last.expires_at)
    assert (awaiting.outcomes(), awaiting.bill()) == (["renewed"], "13.00")


@pytest.mark.parametrize("proof", ["approved", "not_required", "expired"])
def test_an_older_word_still_proves_that_it_was_completed(awaiting: Any, say: Any, proof: Any) -> None:
    """The approval comes after the later handing on: the axis stays, the proof counts."""
    awaiting.take(say.registration("awaiting", say.zero + 2 * DAY, 3))
    awaiting.take(say.registration(proof, say.zero + 2 * DAY, 2))
    assert (awaiting.last.registration, awaiting.last.completed) == ("awaiting", True)


def test_an_older_word_changes_nothing_else(awaiting: Any, say: Any) -> None:
    """Lower or the same sequence: the registration heard last stays."""
    awaiting.take(say.registration("rejected", say.zero + DAY, 3))
    assert awaiting.take(say.registration("pending", say.zero + DAY, 2)) == Unchanged()
    assert awaiting.take(say.registration("awaiting", say.zero + DAY, 3)) == Unchanged()
    assert awaiting.last.registration == "rejected"


def test_the_registration_is_what_the_event_says_whatever_its_topic(awaiting: Any, say: Any) -> None:
    """A rejected attempt on an approved DID leaves it approved."""
    event = say.registration("rejected", say.zero + DAY, 2)
    kept = event.data.model_copy(update={"registration": "approved"})
    awaiting.take(say.event(kept, event.time, event.source, 2))
    assert (awaiting.last.registration, awaiting.last.completed) == ("approved", True)


def test_a_registration_before_its_purchase_waits_and_a_closed_term_stays_closed(
    story: Any, say: Any
) -> None:
    """Too early it is parked; after the end it is kept, and nothing follows."""
    assert isinstance(story.take(say.registration("awaiting")), TooEarly)
    story.take(say.purchased())
    assert story.last.registration == "awaiting"
    story.take(say.refused())
    story.take(say.registration("approved", say.zero, 2))
    assert (story.last.state, story.last.due_at, story.bill()) == ("closed", None, "0.00")


def test_charges_are_forgotten_when_nothing_can_be_refunded_any_more(awaiting: Any, say: Any) -> None:
    """Kept while registration is open; gone once it is completed for an accepted DID."""
    assert len(awaiting.last.charges) == 2
    awaiting.take(say.registration("approved", say.zero + DAY, 2))
    assert awaiting.last.charges == ()


def test_charges_are_kept_until_inventory_has_accepted(story: Any, say: Any) -> None:
    """A number that needs no registration can still be refused by inventory, and then refunded."""
    story.take(say.purchased())
    story.take(say.registration("not_required"))
    assert len(story.last.charges) == 2
    story.take(say.holding())
    assert story.last.charges == ()


def test_a_manual_renewal_of_an_unregistered_did_is_refunded_with_the_rest(awaiting: Any, say: Any) -> None:
    """In full means every charge of the DID."""
    awaiting.take(say.renew(3))
    awaiting.clock(awaiting.last.expires_at)
    assert (len(awaiting.ledger), awaiting.bill()) == (6, "0.00")


@pytest.mark.parametrize("left_for_the_pool", [False, True])
def test_a_paid_period_is_followed_by_30_free_days_of_its_own(
    awaiting: Any,
    say: Any,
    left_for_the_pool: bool,
) -> None:
    """Time bought during a review, at its end or out of the pool, makes the patience start again."""
    awaiting.take(say.registration("pending", say.zero + DAY, 2))
    end = awaiting.last.expires_at
    awaiting.clock(end + 20 * DAY)
    if left_for_the_pool:
        awaiting.take(say.cancel(), end + 20 * DAY)
        awaiting.take(say.restore(1), end + 30 * DAY)
    else:
        awaiting.take(say.renew(1), end + 20 * DAY)
    again = awaiting.last.expires_at
    awaiting.clock(again + 30 * DAY - timedelta(seconds=1))
    assert awaiting.last.state == "active"
    awaiting.clock(again + 30 * DAY)
    assert (awaiting.last.state, awaiting.bill()) == ("closed", "0.00")
