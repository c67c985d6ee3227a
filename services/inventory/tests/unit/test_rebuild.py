"""The rebuild of one DID after a rule of showing has changed."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_inventory.domain.my_numbers.listing import Listing


@pytest.fixture
def listed(purchased: Any, make: Any) -> Any:
    """An inventory with one active DID."""
    for event in (make.registration("approved"), make.term("active"), make.routing("active")):
        purchased.decide(event)
    return purchased


def test_a_listing_of_earlier_rules_is_computed_again(listed: Any, make: Any) -> None:
    """Every field is as live decisions leave it. A change of filters and columns is no entry of the history."""
    before, entries, topics = listed.did, listed.history, listed.topics()
    listed.outdate(in_active=False, in_expiring_soon=True, expires_at=None, identity_id=make.other_id)
    assert listed.did != before

    assert isinstance(listed.decide(make.rebuild()), Decided)
    assert listed.did == before
    assert (listed.history, listed.topics()) == (entries, topics)


@pytest.mark.parametrize("name", Listing.__struct_fields__)
def test_each_field_of_the_listing_is_compared(listed: Any, make: Any, name: Any) -> None:
    """One outdated column is enough."""
    before = listed.did
    value = getattr(before.listing, name)
    other = {"status": "hold", "identity_id": make.other_id, "expires_at": None}.get(name, not value)
    listed.outdate(**{name: other})
    assert isinstance(listed.decide(make.rebuild()), Decided)
    assert listed.did == before


def test_a_did_that_is_up_to_date_is_unchanged(listed: Any, make: Any) -> None:
    """Nothing is written: no state, no event, no entry."""
    before = listed.contents(), listed.topics(), listed.history
    assert isinstance(listed.decide(make.rebuild()), Unchanged)
    assert (listed.contents(), listed.topics(), listed.history) == before


def test_a_status_that_changes_is_published_and_recorded(listed: Any, make: Any) -> None:
    """`did.status_changed` names the status that was published before. The history has the change."""
    listed.outdate(status="not_configured", published_status="not_configured")
    listed.decide(make.rebuild())

    last = listed.published("did.status_changed")[-1].data
    assert (last.previous, last.status, last.circle) == ("not_configured", "active", "green")
    assert listed.did.holding.published_status == "active"
    entry = listed.history[-1]
    assert (entry.type, entry.actor, entry.outcome) == ("job.rebuild", "user:ann", "applied")
    assert entry.changes == {"status": {"before": "not_configured", "after": "active"}}


def test_no_status_is_published_before_verification_has_answered(purchased: Any, make: Any) -> None:
    """The rule of live decisions holds: the registration is still an assumption."""
    purchased.outdate(status="not_configured")
    purchased.decide(make.rebuild())
    assert (purchased.did.listing.status, purchased.statuses()) == ("awaiting_registration", [])


def test_the_next_event_brings_a_did_up_to_date_as_a_rebuild_does(listed: Any, make: Any) -> None:
    """A DID that is in use does not wait for the rebuild. Its rebuild then changes nothing."""
    listed.outdate(in_active=False, in_porting=True)
    listed.decide(make.service("new"))
    assert (listed.did.listing.in_active, listed.did.listing.in_porting) == (True, False)
    assert isinstance(listed.decide(make.rebuild()), Unchanged)


def test_an_unknown_did_is_not_found(stage: Any, make: Any) -> None:
    """It has no history either."""
    assert stage.code(make.rebuild()) == "not_found"
    assert stage.history == []
