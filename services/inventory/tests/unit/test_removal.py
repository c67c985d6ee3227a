"""The removal of a DID: it is final, and the number is free when its carrier has released it."""

from typing import Any

import pytest

from didflow_chassis.decision import Refused, Unchanged
from didflow_inventory.domain.stock.number import Number


def test_a_removed_did_has_no_status_and_matches_no_filter(purchased: Any, make: Any) -> None:
    """Its term is closed."""
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.term("aging"))
    purchased.decide(make.removed())

    did = purchased.did
    assert (did.holding.stock, did.views.term.state) == ("removed", "closed")
    assert (did.listing.status, did.listing.in_all) == (None, False)
    assert (did.holding.removal_reason, did.holding.removed_at.month) == ("aged_out", 5)


def test_a_number_is_releasing_until_its_carrier_has_released_it(purchased: Any, make: Any) -> None:
    """Only the release of its last DID makes the number free again."""
    purchased.decide(make.routing("active"))
    purchased.decide(make.removed())
    assert (purchased.number.did_id, purchased.number.releasing) == (None, True)

    purchased.decide(make.routing("suspended", 2))
    assert purchased.number.releasing
    purchased.decide(make.routing("released", 3))
    assert not purchased.number.releasing


def test_a_release_that_arrives_before_the_removal_frees_the_number_at_the_removal(
    purchased: Any, make: Any
) -> None:
    """The two events come on different topics, so either can be first."""
    purchased.decide(make.routing("released", 2))
    purchased.decide(make.removed())
    assert (purchased.number.did_id, purchased.number.releasing) == (None, False)


def test_a_number_from_stock_is_in_stock_again_after_the_removal(stage: Any, make: Any) -> None:
    """It cannot be purchased before the release."""
    stage.store(Number(number=make.number, stock="in_stock", uploaded_by="master"))
    stage.decide(make.purchased())
    stage.decide(make.removed())
    number = stage.number
    assert (number.stock, number.uploaded_by, number.releasing) == ("in_stock", "master", True)


def test_a_removal_is_applied_whatever_its_sequence(purchased: Any, make: Any) -> None:
    """A higher sequence on another topic does not hold it back."""
    purchased.decide(make.term("active", 12))
    purchased.decide(make.removed(4))
    assert purchased.did.holding.stock == "removed"


def test_events_after_the_removal_are_stored_and_change_no_status(purchased: Any, make: Any) -> None:
    """A late approval does not bring a DID back, and a late term stays closed."""
    purchased.decide(make.removed(6))
    purchased.decide(make.registration("approved", 7))
    purchased.decide(make.term("active", 8))

    views, listing = purchased.did.views, purchased.did.listing
    assert (views.registration.state, views.term.state) == ("approved", "closed")
    assert (listing.status, listing.in_all, purchased.statuses()) == (None, False, [])


def test_a_second_removal_changes_nothing(purchased: Any, make: Any) -> None:
    """The first removal stays as it is."""
    purchased.decide(make.removed())
    before = purchased.did
    assert isinstance(purchased.decide(make.removed(10)), Unchanged)
    assert purchased.did == before


def test_a_late_release_of_a_former_did_does_not_change_the_number(purchased: Any, make: Any) -> None:
    """The number already has another DID."""
    purchased.decide(make.removed())
    purchased.decide(make.routing("released"))
    purchased.decide(make.purchased(did_id=make.other_id, order_id="o-2"))
    before = purchased.number
    purchased.decide(make.routing("released", 2))
    assert purchased.number == before


@pytest.mark.parametrize("first", ["removed", "service"])
def test_the_end_of_a_service_is_stored_before_and_after_the_removal(
    purchased: Any, make: Any, first: str
) -> None:
    """The two events come on different topics. A state that is older than the end is not shown again."""
    purchased.decide(make.service("active", 2))
    events = [make.removed(), make.service("not_configured", 4)]
    for event in events if first == "removed" else reversed(events):
        assert not isinstance(purchased.decide(event), Refused)
    assert isinstance(purchased.decide(make.service("in_process", 3)), Refused)
    did = purchased.did
    assert (did.holding.stock, did.listing.status) == ("removed", None)
    assert did.views.services["emergency"].state == "not_configured"
    assert did.views.sequences["service.emergency:/didflow/verification"] == 4


def test_the_end_of_a_service_does_not_reach_the_next_did_of_the_number(purchased: Any, make: Any) -> None:
    """It is about the removed DID, and frees no number a second time."""
    purchased.decide(make.routing("released", 2))
    purchased.decide(make.removed())
    number = purchased.number
    purchased.decide(make.service("not_configured", 4))
    assert purchased.number == number
