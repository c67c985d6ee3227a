"""The registration of a DID, as verification publishes it, and the charges that it lets the term forget."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import TooEarly, Unchanged

DAY = timedelta(days=1)


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
