"""Auto-approval: details that a reviewer approved need no second review while everything is equal."""

from collections.abc import Callable
from dataclasses import replace as replace_dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_contracts.events import VerificationApproved
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.requirements import CountryRules, Restriction
from didflow_verification.domain.verifications.approval import Approval

SECOND = UUID("0190a5b6-7c00-7000-8000-000000000002")
HOUR = timedelta(hours=1)


@pytest.fixture
def approved(pending: Any, build: Any) -> Any:
    """A number whose details a reviewer approved."""
    pending.process(build.approve())
    return pending


def second(
    stage: Any, build: Any, identity: Any, address: Any, number: str, *, account: str = "master/acme"
) -> Any:
    """Assign details to another number. Return its verification and the last event."""
    build.did, build.number, build.account = SECOND, number, account
    stage.process(build.purchased())
    stage.process(build.assigned(identity, address, at=build.zero + HOUR))
    return stage.state(Verification, verification_id(SECOND, 1)), stage.axis_events[-1]


def test_the_same_details_for_another_number_of_the_area_need_no_reviewer(
    approved: Any, build: Any, acme: Any, quay: Any
) -> None:
    """They are approved at once, and the event names the verification that they rest on."""
    first = approved.verification()
    verification, event = second(approved, build, acme, quay, "+35314567890")
    assert (verification.status, verification.automatic, verification.rests_on) == (
        "approved",
        True,
        first.verification_id,
    )
    assert isinstance(event, VerificationApproved)
    assert (event.automatic, event.rests_on) == (True, first.verification_id)


def test_automatic_approvals_never_rest_on_one_another(
    approved: Any, build: Any, acme: Any, quay: Any
) -> None:
    """Every automatic approval rests on the reviewed verification itself."""
    first = approved.verification()
    second(approved, build, acme, quay, "+35314567890")
    kept = approved.states(Approval)
    assert [approval.verification_id for approval in kept] == [first.verification_id]


def other_area(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """A number in Galway is in another area."""
    stage.store(replace_dataclass(stage.state(CountryRules, "IE"), places={"+35391": ("Dublin",)}))
    return second(stage, build, acme, quay, "+35391123456")


def other_account(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """The number belongs to an account below, which the identity serves too."""
    return second(stage, build, acme, quay, "+35314567890", account="master/acme/shop")


def other_address(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """The same identity has another address."""
    its_address = replace(quay, address_id=SECOND)
    stage.store(its_address)
    return second(stage, build, acme, its_address, "+35314567890")


def changed_identity(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """The identity has a newer revision."""
    stage.store(replace(acme, revision=2))
    return second(stage, build, acme, quay, "+35314567890")


def changed_address(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """The address has a newer revision."""
    stage.store(replace(quay, revision=2))
    return second(stage, build, acme, quay, "+35314567890")


def stricter_version(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """The requirement has a newer version with one more check."""
    rules = stage.state(CountryRules, "IE")
    before = rules.requirements[0]
    more = (*before.restrictions, Restriction(code="state_the_use", text="Say what for."))
    row = replace_dataclass(before, version=2, restrictions=more)
    stage.store(replace_dataclass(rules, requirements=(*rules.requirements, row)))
    return second(stage, build, acme, quay, "+35314567890")


def expired_approval(stage: Any, build: Any, acme: Any, quay: Any) -> Any:
    """The approval has ended."""
    for approval in stage.states(Approval):
        stage.store(replace(approval, valid_until=build.zero + HOUR))
    return second(stage, build, acme, quay, "+35314567890")


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
    approved: Any, build: Any, acme: Any, quay: Any, difference: Callable[..., Any]
) -> None:
    """One difference is enough: area, account, details, revision, version, or the end of the approval."""
    verification, event = difference(approved, build, acme, quay)
    assert (verification.status, verification.rests_on, event.registration) == ("pending", None, "pending")


def test_a_failed_check_is_never_approved(approved: Any, build: Any, acme: Any, quay: Any) -> None:
    """An earlier review does not change today's evaluation."""
    verification, _ = second(approved, build, acme, quay, "+35391123456")
    assert verification.status == "rejected"


def test_nothing_rests_on_a_rejected_verification(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """Only an approval counts."""
    pending.process(build.reject())
    verification, _ = second(pending, build, acme, quay, "+35314567890")
    assert verification.status == "pending"


def test_going_back_to_the_approved_details_needs_no_reviewer(
    approved: Any, build: Any, make: Any, acme: Any, quay: Any
) -> None:
    """New details were assigned and then replaced by the old ones. These are approved by their own review."""
    other = make.company("other")
    its_address = make.address(other)
    approved.store(other, its_address)
    approved.process(build.assigned(other, its_address, at=build.zero + HOUR))
    approved.process(build.assigned(acme, quay, at=build.zero + 2 * HOUR), now=build.zero + 3 * HOUR)
    assert approved.statuses() == ["approved", "superseded", "approved"]
    assert approved.verification(3).rests_on == approved.verification(1).verification_id


def test_the_prefix_does_not_matter_if_the_area_does_not(stage: Any, build: Any, make: Any) -> None:
    """Denmark has no areas. A review counts for every local number of the country."""
    business = make.company()
    its_address = make.address(business, "Aarhus", "DK")
    stage.store(business, its_address)
    build.number = "+4532123456"
    stage.process_all(build.purchased(), build.assigned(business, its_address), build.approve())
    assert stage.state(Registration, build.did).state == "approved"
    verification, _ = second(stage, build, business, its_address, "+4587654321")
    assert (verification.status, verification.area) == ("approved", "")


def spanish(stage: Any, make: Any) -> tuple[Any, Any]:
    """Store a company in Barcelona."""
    business = make.company()
    its_address = make.address(business, "Barcelona", "ES")
    rules = stage.state(CountryRules, "IE")
    row = replace_dataclass(rules.requirements[0], key="es.local.business")
    stage.store(
        business, its_address, CountryRules(country="ES", languages=("es",), places={}, requirements=(row,))
    )
    return business, its_address


def test_barcelona_931_after_934_is_approved_automatically(stage: Any, build: Any, make: Any) -> None:
    """The prefixes 930 to 939 serve one place, so one review is enough."""
    business, its_address = spanish(stage, make)
    build.number = "+34934123456"
    stage.process_all(build.purchased(), build.assigned(business, its_address), build.approve())
    first = stage.verification()
    verification, event = second(stage, build, business, its_address, "+34931123456")
    assert (verification.status, verification.automatic, verification.rests_on) == (
        "approved",
        True,
        first.verification_id,
    )
    assert (verification.area, first.area, event.registration) == ("Barcelona", "Barcelona", "approved")


def test_madrid_after_barcelona_is_not(stage: Any, build: Any, make: Any) -> None:
    """Madrid is another area: the address is a known place of other prefixes."""
    business, its_address = spanish(stage, make)
    build.number = "+34934123456"
    stage.process_all(build.purchased(), build.assigned(business, its_address), build.approve())
    verification, _ = second(stage, build, business, its_address, "+34911123456")
    assert (verification.status, verification.area) == ("rejected", "Madrid")
