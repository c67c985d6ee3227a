"""Auto-approval: what a reviewer approved once needs no second look, for as long as all of it is the same."""

from collections.abc import Callable
from dataclasses import replace as amended
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_contracts.events import VerificationApproved
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.catalogue.rules import CountryRules, Restriction
from didflow_verification.domain.verifications.approvals import Approval

SECOND = UUID("0190a5b6-7c00-7000-8000-000000000002")
HOUR = timedelta(hours=1)


@pytest.fixture
def approved(pending: Any, say: Any) -> Any:
    """A number whose details a reviewer approved."""
    pending.process(say.approve())
    return pending


def second(
    stage: Any, say: Any, identity: Any, address: Any, number: str, *, account: str = "master/acme"
) -> Any:
    """Assign details to another number and return its attempt and the last event."""
    say.did, say.number, say.account = SECOND, number, account
    stage.process(say.purchased())
    stage.process(say.assigned(identity, address, at=say.zero + HOUR))
    return stage.state(Verification, verification_id(SECOND, 1)), stage.axes()[-1]


def test_the_same_details_for_another_number_of_the_area_need_no_reviewer(
    approved: Any, say: Any, acme: Any, quay: Any
) -> None:
    """Approved at once, saying which verification it rests on."""
    first = approved.attempt()
    attempt, event = second(approved, say, acme, quay, "+35314567890")
    assert (attempt.status, attempt.automatic, attempt.rests_on) == ("approved", True, first.verification_id)
    assert isinstance(event, VerificationApproved)
    assert (event.automatic, event.rests_on) == (True, first.verification_id)


def test_what_rests_on_an_approval_is_rested_on_in_turn_by_its_root(
    approved: Any, say: Any, acme: Any, quay: Any
) -> None:
    """Chains do not grow: every automatic approval names the review itself."""
    first = approved.attempt()
    second(approved, say, acme, quay, "+35314567890")
    kept = approved.states(Approval)
    assert [approval.verification_id for approval in kept] == [first.verification_id]


def other_area(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """A number in Galway: other area, and the address is not there."""
    stage.store(amended(stage.state(CountryRules, "IE"), places={"+35391": ("Dublin",)}))
    return second(stage, say, acme, quay, "+35391123456")


def other_account(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """A number of an account below, which the identity serves too."""
    return second(stage, say, acme, quay, "+35314567890", account="master/acme/shop")


def other_address(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """The same identity at another address."""
    there = replace(quay, address_id=SECOND)
    stage.store(there)
    return second(stage, say, acme, there, "+35314567890")


def changed_identity(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """The identity was changed since."""
    stage.store(replace(acme, revision=2))
    return second(stage, say, acme, quay, "+35314567890")


def changed_address(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """The address was changed since."""
    stage.store(replace(quay, revision=2))
    return second(stage, say, acme, quay, "+35314567890")


def stricter_version(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """The requirement has a newer version that asks for one thing more."""
    rules = stage.state(CountryRules, "IE")
    before = rules.requirements[0]
    more = (*before.restrictions, Restriction(code="state_the_use", text="Say what for."))
    row = amended(before, version=2, restrictions=more)
    stage.store(amended(rules, requirements=(*rules.requirements, row)))
    return second(stage, say, acme, quay, "+35314567890")


def expired_approval(stage: Any, say: Any, acme: Any, quay: Any) -> Any:
    """What was approved has ended meanwhile."""
    for state in stage.states(Approval):
        stage.store(replace(state, valid_until=say.zero + HOUR))
    return second(stage, say, acme, quay, "+35314567890")


@pytest.mark.parametrize(
    "difference",
    [
        other_area,
        other_account,
        other_address,
        changed_identity,
        changed_address,
        stricter_version,
        expired_approval,
    ],
)
def test_any_difference_needs_a_reviewer(
    approved: Any, say: Any, acme: Any, quay: Any, difference: Callable[..., Any]
) -> None:
    """Area, account, details, revision, version, end of the approval: each alone is enough."""
    attempt, event = difference(approved, say, acme, quay)
    assert (attempt.status, attempt.rests_on, event.registration) == ("pending", None, "pending")


def test_a_failed_check_is_never_approved_by_what_was(approved: Any, say: Any, acme: Any, quay: Any) -> None:
    """Today's evaluation has the first word."""
    attempt, _ = second(approved, say, acme, quay, "+35391123456")
    assert attempt.status == "rejected"


def test_a_rejected_attempt_helps_nobody(pending: Any, say: Any, acme: Any, quay: Any) -> None:
    """Only an approval can be rested on."""
    pending.process(say.reject())
    attempt, _ = second(pending, say, acme, quay, "+35314567890")
    assert attempt.status == "pending"


def test_going_back_to_the_approved_details_needs_no_reviewer(
    approved: Any, say: Any, make: Any, acme: Any, quay: Any
) -> None:
    """New details were assigned and then taken back: the old ones are approved again by their own review."""
    other = make.company("other")
    there = make.address(other)
    approved.store(other, there)
    approved.process(say.assigned(other, there, at=say.zero + HOUR))
    approved.process(say.assigned(acme, quay, at=say.zero + 2 * HOUR), now=say.zero + 3 * HOUR)
    assert approved.statuses() == ["approved", "superseded", "approved"]
    assert approved.attempt(3).rests_on == approved.attempt(1).verification_id


def test_where_the_area_does_not_matter_the_prefix_does_not_either(stage: Any, say: Any, make: Any) -> None:
    """Denmark has no areas: a review there counts for every local number of the country."""
    business = make.company()
    there = make.address(business, "Aarhus", "DK")
    stage.store(business, there)
    say.number = "+4532123456"
    stage.process_all(say.purchased(), say.assigned(business, there), say.approve())
    assert stage.state(Registration, say.did).state == "approved"
    attempt, _ = second(stage, say, business, there, "+4587654321")
    assert (attempt.status, attempt.prefix) == ("approved", "")
