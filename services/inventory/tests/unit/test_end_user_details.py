"""The assignment of end-user details: it is published once, and the latest one counts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Decided, Unchanged

OTHER_IDENTITY = UUID(int=7)


def test_an_assignment_publishes_the_details_by_their_ids(purchased: Any, make: Any) -> None:
    """`enduser.assigned` carries the identity, the documents and the instant."""
    purchased.decide(make.assign_end_user(document_ids=(OTHER_IDENTITY,)))

    data = purchased.published("enduser.assigned")[-1].data
    assert (data.identity_id, data.document_ids, data.assigned_at) == (
        make.identity_id,
        (OTHER_IDENTITY,),
        make.zero,
    )


def test_the_same_details_again_are_unchanged(purchased: Any, make: Any) -> None:
    """The order of the documents does not matter."""
    purchased.decide(make.assign_end_user(document_ids=(OTHER_IDENTITY, make.identity_id)))
    again = purchased.decide(make.assign_end_user(document_ids=(make.identity_id, OTHER_IDENTITY)))
    assert isinstance(again, Unchanged)


def test_the_same_details_are_published_again_after_the_registration_went_back_to_awaiting(
    purchased: Any, make: Any
) -> None:
    """The earlier assignment is no longer in force then."""
    purchased.decide(make.assign_end_user())
    purchased.decide(make.registration("approved", 1))
    assert isinstance(purchased.decide(make.assign_end_user()), Unchanged)

    purchased.decide(make.registration("awaiting", 2))
    again = purchased.decide(make.assign_end_user(), make.zero + timedelta(hours=1))
    assert isinstance(again, Decided)


def test_a_removed_did_is_not_found(purchased: Any, make: Any) -> None:
    """A removed DID is refused like an unknown one."""
    purchased.decide(make.removed())
    assert purchased.code(make.assign_end_user()) == "not_found"


def test_a_caller_that_lost_the_did_before_the_lock_cannot_assign_details(purchased: Any, make: Any) -> None:
    """The decision checks the account of the DID as loaded, whatever the DID's account was when it was looked up."""
    shop = make.caller("master/acme/shop", "enterprise_admin")
    purchased.change_did(account="master/acme/shop")
    assert isinstance(purchased.decide(make.assign_end_user(by=shop)), Decided)

    purchased.change_did(account="other")
    before = purchased.contents(), purchased.topics(), purchased.history
    assert purchased.code(make.assign_end_user(OTHER_IDENTITY, by=shop)) == "not_found"
    assert (purchased.contents(), purchased.topics(), purchased.history) == before


def test_an_assignment_in_a_portal_is_stored_and_the_later_one_wins(purchased: Any, make: Any) -> None:
    """An older `assigned_at` is refused, whether it came over HTTP or from a portal."""
    purchased.decide(make.assign_end_user(OTHER_IDENTITY), make.zero + timedelta(hours=1))
    assert purchased.code(make.enduser_assigned()) == "outdated"

    later = make.zero + timedelta(hours=2)
    purchased.decide(make.enduser_assigned(assigned_at=later))
    assignment = purchased.did.holding.assignment
    assert (assignment.identity_id, assignment.assigned_at) == (make.identity_id, later)


def test_a_portal_must_name_the_holder_or_an_account_above(purchased: Any, make: Any) -> None:
    """Another account, or one below the holder, is refused."""
    assert purchased.code(make.enduser_assigned(account="other")) == "not_yours"
    assert purchased.code(make.enduser_assigned(account="master/acme/shop")) == "not_yours"
    assert isinstance(purchased.decide(make.enduser_assigned(account="master")), Decided)


def test_a_portal_cannot_assign_details_to_a_removed_did(purchased: Any, make: Any) -> None:
    """The removal is final."""
    purchased.decide(make.removed())
    assert purchased.code(make.enduser_assigned()) == "did_ended"
