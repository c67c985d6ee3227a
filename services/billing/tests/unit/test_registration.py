"""A DID whose registration is never completed is removed and refunded."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import TooEarly, Unchanged

DAY = timedelta(days=1)


@pytest.mark.parametrize("state", ["awaiting", "rejected"])
def test_without_a_registration_the_did_is_removed_and_refunded_after_the_first_period(
    awaiting: Any, make: Any, state: Any
) -> None:
    """This happens before the cycles are looked at."""
    awaiting.process(make.registration(state, make.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.run_timers(end)
    assert awaiting.topics()[-5:] == [
        "cycle.expired",
        "ledger.posted",
        "ledger.posted",
        "term.changed",
        "did.removed",
    ]
    removed = awaiting.published_data()[-1]
    assert (removed.reason, removed.refunded) == ("registration_not_completed", True)
    assert (awaiting.outcomes(), awaiting.bill(), awaiting.term.state) == (["removed"], "0.00", "closed")


def test_a_pending_registration_extends_the_period_by_30_free_days(awaiting: Any, make: Any) -> None:
    """A free day costs no charge and no cycle. After the thirtieth day the DID is removed and refunded."""
    awaiting.process(make.set_cycles(0))
    awaiting.process(make.registration("pending", make.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.run_timers(end + 30 * DAY - timedelta(seconds=1))
    assert awaiting.outcomes() == ["extended"] * 30
    assert (awaiting.term.expires_at, awaiting.term.state) == (end + 30 * DAY, "delayed_removal")
    assert (awaiting.term.cycles_left, awaiting.bill()) == (0, "8.00")
    awaiting.run_timers(end + 30 * DAY)
    assert (awaiting.outcomes()[-1], awaiting.bill()) == ("removed", "0.00")


def test_an_approval_during_the_extension_renews_from_the_end_of_that_day(awaiting: Any, make: Any) -> None:
    """The end of the free days is the new anchor."""
    awaiting.process(make.registration("pending", make.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.process(make.registration("approved", end + 2.5 * DAY, 3))
    awaiting.run_timers(end + 3 * DAY)
    assert awaiting.outcomes() == ["extended", "extended", "extended", "renewed"]
    assert awaiting.term.period_start == end + 3 * DAY
    assert awaiting.term.anchor == end + 3 * DAY
    assert (awaiting.term.period, awaiting.bill()) == (2, "13.00")


def test_a_rejection_during_the_extension_removes_the_did_at_the_end_of_that_day(
    awaiting: Any, make: Any
) -> None:
    """The DID is refunded, and not earlier than that."""
    awaiting.process(make.registration("pending", make.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.process(make.registration("rejected", end + 0.5 * DAY, 3))
    assert awaiting.term.state == "active"
    awaiting.run_timers(end + DAY)
    assert (awaiting.outcomes(), awaiting.bill()) == (["extended", "removed"], "0.00")


def test_a_did_whose_registration_was_completed_once_is_not_refunded(awaiting: Any, make: Any) -> None:
    """It was approved and then awaits another end user. The term renews like any other."""
    awaiting.process(make.registration("approved", make.zero + DAY, 2))
    awaiting.process(make.registration("awaiting", make.zero + 2 * DAY, 3))
    awaiting.run_timers(awaiting.term.expires_at)
    assert (awaiting.outcomes(), awaiting.bill()) == (["renewed"], "13.00")


@pytest.mark.parametrize("proof", ["approved", "not_required", "expired"])
def test_an_outdated_event_still_proves_that_the_registration_was_completed(
    awaiting: Any, make: Any, proof: Any
) -> None:
    """The registration itself does not change."""
    awaiting.process(make.registration("awaiting", make.zero + 2 * DAY, 3))
    awaiting.process(make.registration(proof, make.zero + 2 * DAY, 2))
    assert (awaiting.term.registration, awaiting.term.completed) == ("awaiting", True)


def test_an_outdated_event_does_not_change_the_registration(awaiting: Any, make: Any) -> None:
    """The registration with the highest sequence stays."""
    awaiting.process(make.registration("rejected", make.zero + DAY, 3))
    assert awaiting.process(make.registration("pending", make.zero + DAY, 2)) == Unchanged()
    assert awaiting.term.registration == "rejected"


def test_the_registration_is_taken_from_the_data_and_not_from_the_topic(awaiting: Any, make: Any) -> None:
    """A rejected attempt on an approved DID leaves it approved."""
    event = make.registration("rejected", make.zero + DAY, 2)
    kept = event.data.model_copy(update={"registration": "approved"})
    awaiting.process(make.event(kept, event.time, event.source, 2))
    assert (awaiting.term.registration, awaiting.term.completed) == ("approved", True)


def test_a_registration_before_the_purchase_is_parked_and_does_not_reopen_a_closed_term(
    billing: Any, make: Any
) -> None:
    """On a closed term it is stored, and nothing follows."""
    assert isinstance(billing.process(make.registration("awaiting")), TooEarly)
    billing.process(make.purchased())
    assert billing.term.registration == "awaiting"
    billing.process(make.purchase_refused())
    billing.process(make.registration("approved", make.zero, 2))
    assert (billing.term.state, billing.term.due_at, billing.bill()) == ("closed", None, "0.00")


def test_a_term_forgets_its_charges_when_no_refund_is_possible(awaiting: Any, make: Any) -> None:
    """It keeps them until the registration is completed."""
    assert len(awaiting.term.charges) == 2
    awaiting.process(make.registration("approved", make.zero + DAY, 2))
    assert awaiting.term.charges == ()


def test_a_term_keeps_its_charges_until_inventory_has_accepted_the_purchase(billing: Any, make: Any) -> None:
    """Until then inventory can still refuse the purchase."""
    billing.process(make.purchased())
    billing.process(make.registration("not_required"))
    assert len(billing.term.charges) == 2
    billing.process(make.did_changed())
    assert billing.term.charges == ()


def test_the_refund_includes_renewals_by_command(awaiting: Any, make: Any) -> None:
    """Every charge of the DID is reversed."""
    awaiting.process(make.renew(3))
    awaiting.run_timers(awaiting.term.expires_at)
    assert (len(awaiting.ledger), awaiting.bill()) == (6, "0.00")


@pytest.mark.parametrize("left_for_the_pool", [False, True])
def test_each_paid_period_can_be_extended_by_30_free_days(
    awaiting: Any,
    make: Any,
    left_for_the_pool: bool,
) -> None:
    """A renewal during the review, before or after the end of paid time, restarts the count of free days."""
    awaiting.process(make.registration("pending", make.zero + DAY, 2))
    end = awaiting.term.expires_at
    awaiting.run_timers(end + 20 * DAY)
    if left_for_the_pool:
        awaiting.process(make.cancel(), end + 20 * DAY)
        awaiting.process(make.restore(1), end + 30 * DAY)
    else:
        awaiting.process(make.renew(1), end + 20 * DAY)
    again = awaiting.term.expires_at
    awaiting.run_timers(again + 30 * DAY - timedelta(seconds=1))
    assert awaiting.term.state == "active"
    awaiting.run_timers(again + 30 * DAY)
    assert (awaiting.term.state, awaiting.bill()) == ("closed", "0.00")
