"""End-user details: the wish is passed on once, and the latest one counts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Decided, Unchanged

ELSE = UUID(int=7)


def test_assigning_says_the_details_by_their_ids(bought: Any, say: Any) -> None:
    """Verification hears who, where and which papers, and when."""
    bought.process(say.assign(document_ids=(ELSE,)))

    said = bought.published_data()[-1]
    assert said.topic == "enduser.assigned"
    assert (said.identity_id, said.document_ids, said.assigned_at) == (say.identity, (ELSE,), say.zero)


def test_the_same_details_again_are_unchanged(bought: Any, say: Any) -> None:
    """In whichever order the papers are named."""
    bought.process(say.assign(document_ids=(ELSE, say.identity)))
    assert isinstance(bought.process(say.assign(document_ids=(say.identity, ELSE))), Unchanged)


def test_the_same_details_are_said_again_when_the_number_is_awaiting_anew(bought: Any, say: Any) -> None:
    """Handed back to awaiting, the former assignment no longer stands."""
    bought.process(say.assign())
    bought.process(say.registration("approved", 1))
    assert isinstance(bought.process(say.assign()), Unchanged)

    bought.process(say.registration("awaiting", 2))
    assert isinstance(bought.process(say.assign(), say.zero + timedelta(hours=1)), Decided)


def test_a_did_that_is_gone_is_not_found(bought: Any, say: Any) -> None:
    """Removed and unknown look alike."""
    bought.process(say.removed())
    assert bought.process(say.assign()).code == "not_found"


def test_a_portal_may_assign_and_the_later_one_wins(bought: Any, say: Any) -> None:
    """Details with an older `assigned_at` lose, whichever way they came."""
    bought.process(say.assign(ELSE), say.zero + timedelta(hours=1))
    assert bought.process(say.assigned()).code == "outdated"

    later = say.zero + timedelta(hours=2)
    bought.process(say.assigned(assigned_at=later))
    assert (bought.did.assigned.identity_id, bought.did.assigned.assigned_at) == (say.identity, later)


def test_a_portal_must_name_the_owner(bought: Any, say: Any) -> None:
    """Another account's portal is refused, and a removed DID takes no details."""
    assert bought.process(say.assigned(account="other")).code == "not_yours"
    bought.process(say.removed())
    assert bought.process(say.assigned()).code == "removed"
