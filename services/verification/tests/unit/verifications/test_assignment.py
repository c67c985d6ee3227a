"""End-user details are assigned to a DID: each outcome, by the details and by the state before."""

from dataclasses import replace as replace_dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.requirements import (
    AddressRule,
    CountryRules,
    IdentityField,
    Restriction,
    Review,
)

HOUR = timedelta(hours=1)


def without_review(stage: Any, make: Any, **row: Any) -> None:
    """Store rules for Ireland that ask for a company name and need no reviewer."""
    fields = (IdentityField(field="company_name", applies_to="business"),)
    asked = make.requirement(key="ie.local.any", identity_fields=fields, **row)
    stage.store(CountryRules(country="IE", places={}, requirements=(asked,)))


def test_good_details_wait_for_a_reviewer(ready: Any, build: Any, acme: Any, quay: Any) -> None:
    """The registration is pending, the details are published, and the verification has all findings."""
    ready.process(build.assigned(acme, quay))
    event = ready.axis_events[-1]
    assert (ready.axis_topics()[-1], event.registration) == ("pending", "pending")
    assert (event.identity_id, event.address_id) == (acme.identity_id, quay.address_id)
    assert (event.verification_id, event.attempt) == (verification_id(build.did, 1), 1)
    assert (event.requirement, event.requirement_version) == ("ie.local.business", 1)
    assert event.reference == ready.verification().reference
    verification = ready.verification()
    assert (verification.status, verification.area, verification.submitted_by) == (
        "pending",
        "Dublin",
        "user:ann",
    )
    assert {f.check: f.passed for f in verification.findings} == {
        "identity.company_name": True,
        "address": True,
        "address.match": True,
    }


def test_details_that_need_no_reviewer_are_approved_at_once(
    ready: Any, build: Any, make: Any, acme: Any, quay: Any
) -> None:
    """All checks passed and the row needs no review. The approval is automatic and rests on no review."""
    without_review(ready, make)
    ready.process(build.assigned(acme, quay))
    event = ready.axis_events[-1]
    assert (ready.axis_topics()[-1], event.registration) == ("approved", "approved")
    assert (event.automatic, event.rests_on) == (True, None)
    assert ready.statuses() == ["approved"]
    assert ready.registration.approved == ready.registration.assigned


def test_a_check_that_only_a_person_can_decide_waits_even_without_review(
    ready: Any, build: Any, make: Any, acme: Any
) -> None:
    """A check that neither passed nor failed has not passed."""
    without_review(ready, make, restrictions=(Restriction(code="state_the_use", text="Say what for."),))
    ready.process(build.assigned(acme))
    assert ready.statuses() == ["pending"]


def test_wrong_details_are_rejected_with_every_reason(ready: Any, build: Any, make: Any) -> None:
    """A wrong VAT number, a missing name and a foreign address are three reasons of one rejection."""
    wrong = make.company(vat_number="2813105A")
    wrong = replace(wrong, person=replace(wrong.person, company_name=None))
    abroad = make.address(wrong, "Paris", "FR")
    ready.store(wrong, abroad)
    ready.process(build.assigned(wrong, abroad))
    event = ready.axis_events[-1]
    assert (ready.axis_topics()[-1], event.registration) == ("rejected", "rejected")
    assert [(r.code, r.field) for r in event.reasons] == [
        ("missing_field", "identity.company_name"),
        ("bad_checksum", "identity.vat_number"),
        ("address_outside_area", "address.country"),
    ]
    assert all(r.message for r in event.reasons)


def test_an_end_user_type_without_a_row_is_rejected(ready: Any, build: Any, make: Any) -> None:
    """The code depends on the type that the rows cover: `business_only` or `individual_only`."""
    joan = make.individual()
    ready.store(joan)
    ready.process(build.assigned(joan))
    assert [(r.code, r.field) for r in ready.axis_events[-1].reasons] == [("business_only", "identity.type")]
    row = make.requirement(end_user_types=("individual",))
    ready.store(CountryRules(country="IE", places={}, requirements=(row,)))
    company = make.company("other")
    ready.store(company)
    ready.process(build.assigned(company, at=build.zero + HOUR))
    assert [r.code for r in ready.axis_events[-1].reasons] == ["individual_only"]


def test_the_identity_of_another_account_is_rejected_like_an_unknown_one(
    ready: Any, build: Any, make: Any
) -> None:
    """The reason is `not_yours`. None of its checks are listed."""
    foreign = make.company("globex", account="master/globex")
    ready.store(foreign)
    ready.process(build.assigned(foreign))
    assert [(r.code, r.field) for r in ready.axis_events[-1].reasons] == [("not_yours", "identity_id")]
    assert [f.check for f in ready.verification().findings] == ["identity"]
    ready.process(build.assigned(make.company("nobody"), at=build.zero + HOUR))
    assert [r.code for r in ready.axis_events[-1].reasons] == ["not_yours"]


def test_the_requirement_does_not_reveal_the_type_of_a_foreign_identity(
    stage: Any, build: Any, make: Any
) -> None:
    """Spain has different rows for individuals and businesses. The row of the purchase is published."""
    build.number = "+34911234567"
    foreign = make.individual("juan", account="master/globex")
    stage.store(foreign)
    stage.process_all(build.purchased(), build.assigned(foreign))
    assert stage.axis_events[-1].requirement == "es.local.business"


def test_an_identity_serves_its_account_and_those_below(ready: Any, build: Any, make: Any) -> None:
    """An identity of an account below does not serve the DID."""
    above, below = make.company("above", account="master"), make.company("below", account="master/acme/shop")
    places = make.address(above), make.address(below)
    ready.store(above, below, *places)
    ready.process(build.assigned(above, places[0]))
    ready.process(build.assigned(below, places[1], at=build.zero + HOUR))
    assert ready.statuses() == ["superseded", "rejected"]


def test_an_address_of_another_identity_and_unknown_documents_are_not_yours(
    ready: Any, build: Any, make: Any, acme: Any
) -> None:
    """Address and documents must belong to the identity."""
    other = make.company("other")
    address = make.address(other)
    ready.store(other, address)
    ready.process(build.assigned(acme, address, document_ids=[str(uuid4())]))
    assert [r.field for r in ready.axis_events[-1].reasons] == ["address_id", "document_ids"]


def test_the_same_documents_in_another_order_are_the_same_details(
    ready: Any, build: Any, acme: Any, quay: Any
) -> None:
    """Two numbers wait in one group. An assignment in another order is no new attempt."""
    first, second = uuid4(), uuid4()
    ready.process(build.assigned(acme, quay, document_ids=[first, second]))
    ready.process(build.assigned(acme, quay, at=build.zero + HOUR, document_ids=[second, first]))
    assert len(ready.statuses()) == 1
    other = type(build)()
    other.did, other.number = uuid4(), "+35314567890"
    ready.process_all(other.purchased(), other.assigned(acme, quay, document_ids=[second, first, second]))
    one, two = ready.states(Verification)
    assert one.document_ids == two.document_ids == tuple(sorted((first, second)))


def test_a_missing_address_is_a_reason(ready: Any, build: Any, acme: Any) -> None:
    """The row requires one."""
    ready.process(build.assigned(acme))
    assert [(r.code, r.field) for r in ready.axis_events[-1].reasons] == [("address_missing", "address")]


def test_details_of_a_number_without_requirement_are_stored_and_published(
    stage: Any, build: Any, make: Any, acme: Any, quay: Any
) -> None:
    """Services need them. The axis does not change and its_address is no verification."""
    build.number = "+442079460000"
    stage.store(acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay))
    event = stage.axis_events[-1]
    assert (stage.axis_topics(), event.registration) == (["not_required", "not_required"], "not_required")
    assert (event.identity_id, event.address_id) == (acme.identity_id, quay.address_id)
    assert (event.verification_id, stage.registration.attempt) == (None, 0)


def test_foreign_details_of_a_number_without_requirement_are_refused_and_the_reason_is_published(
    stage: Any, build: Any, make: Any, acme: Any
) -> None:
    """The details in force stay. The reason is shown until details are accepted, the same as before too."""
    build.number = "+442079460000"
    foreign = make.company("globex", account="master/globex")
    stage.store(foreign, acme)
    stage.process_all(build.purchased(), build.assigned(acme))
    stage.process(build.assigned(foreign, at=build.zero + HOUR))
    event = stage.axis_events[-1]
    assert (event.registration, event.identity_id) == ("not_required", acme.identity_id)
    assert [(r.code, r.field, bool(r.message)) for r in event.reasons] == [("not_yours", "identity_id", True)]
    assert [(d.code, d.field) for d in stage.published_data("message.refused")] == [
        ("not_yours", "identity_id")
    ]
    assert stage.refusals() == ["not_yours"]

    stage.process(build.assigned(acme, at=build.zero + 2 * HOUR))
    assert (stage.axis_events[-1].reasons, stage.refusals()) == ((), ["not_yours"])


def test_the_reason_of_refused_details_does_not_go_to_another_account(
    new_stage: Any, build: Any, make: Any
) -> None:
    """Whichever arrives first, the foreign details or the handover."""
    build.number = "+442079460000"
    foreign = make.company("other", account="master/other")
    events = [build.assigned(foreign), build.did_changed("master/globex", build.zero + HOUR)]
    for order in (events, events[::-1]):
        stage = new_stage()
        stage.store(foreign)
        stage.process_all(build.purchased(), *order)
        assert (stage.axis_events[-1].reasons, stage.refusals()) == ((), ["not_yours"])


def test_the_same_details_again_change_nothing(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """There is no other verification and no other event, whenever they are assigned again."""
    assert pending.process(build.assigned(acme, quay)) == Unchanged()
    assert isinstance(pending.process(build.assigned(acme, quay, at=build.zero + HOUR)), Decided)
    assert (pending.statuses(), len(pending.axis_events)) == (["pending"], 2)


def test_a_changed_identity_is_submitted_again(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """A new revision counts as other details."""
    pending.store(replace(acme, revision=2))
    pending.process(build.assigned(acme, quay, at=build.zero + HOUR))
    assert pending.statuses() == ["superseded", "pending"]


def test_older_details_than_those_in_force_are_ignored(pending: Any, build: Any, make: Any) -> None:
    """The time of the assignment decides, not the time of arrival."""
    other = make.company("other")
    pending.store(other)
    pending.process(build.assigned(other, at=build.zero - HOUR))
    assert (pending.refusals(), pending.statuses()) == (["outdated"], ["pending"])
    assert pending.published_data("message.refused") == []


def test_an_assignment_from_the_future_does_not_block_later_ones(
    ready: Any, build: Any, make: Any, acme: Any, quay: Any
) -> None:
    """From outside, it is never later than the event that tells of it."""
    future = build.zero + timedelta(days=365)
    ready.process(build.assigned(acme, quay, source="/portals/acme", assigned_at=future))
    other = make.company("other")
    its_address = make.address(other)
    ready.store(other, its_address)
    ready.process(build.assigned(other, its_address, at=build.zero + 2 * HOUR), now=build.zero + 3 * HOUR)
    assert ready.statuses() == ["superseded", "pending"]


def test_an_assignment_without_a_date_counts_from_the_time_of_the_event(
    pending: Any, build: Any, make: Any
) -> None:
    """`assigned_at` is optional."""
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.assigned(other, its_address, at=build.zero - HOUR, assigned_at=None))
    assert pending.refusals() == ["outdated"]
    pending.process(build.assigned(other, its_address, at=build.zero + HOUR, assigned_at=None))
    assert pending.registration.last_assignment.assigned_at == build.zero + HOUR


def test_newer_details_supersede_a_pending_verification(pending: Any, build: Any, make: Any) -> None:
    """The event is about the newer verification."""
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.assigned(other, its_address, at=build.zero + HOUR))
    assert pending.statuses() == ["superseded", "pending"]
    assert (pending.axis_events[-1].attempt, pending.axis_events[-1].identity_id) == (2, other.identity_id)


def test_approved_details_stay_in_force_while_new_ones_wait(pending: Any, build: Any, make: Any) -> None:
    """They also stay in force when the new ones are rejected."""
    pending.process(build.approve())
    approved = pending.in_force
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.assigned(other, its_address, at=build.zero + HOUR))
    event = pending.axis_events[-1]
    assert (pending.axis_topics()[-1], event.registration, event.attempt) == ("pending", "approved", 2)
    assert event.identity_id == approved.identity_id
    pending.process(build.reject(2, "mismatch"))
    event = pending.axis_events[-1]
    assert (pending.axis_topics()[-1], event.registration) == ("rejected", "approved")
    assert (event.identity_id, pending.in_force) == (approved.identity_id, approved)
    assert [r.code for r in event.reasons] == ["mismatch"]


def test_new_details_are_in_force_once_they_are_approved(pending: Any, build: Any, make: Any) -> None:
    """They are in force from the approval on, not before."""
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.approve())
    pending.process(build.assigned(other, its_address, at=build.zero + HOUR))
    pending.process(build.approve(2))
    assert (pending.axis_events[-1].registration, pending.axis_events[-1].identity_id) == (
        "approved",
        other.identity_id,
    )
    assert pending.in_force.attempt == 2


def test_an_outside_source_assigns_only_to_its_own_dids(ready: Any, build: Any, acme: Any, quay: Any) -> None:
    """A portal that names another account is refused. One that names the holder or an account above is accepted."""
    refused = ready.process(build.assigned(acme, quay, source="/portals/globex", account="master/globex"))
    assert isinstance(refused, Refused)
    assert refused.code == "not_yours"
    ready.process(build.assigned(acme, quay, source="/portals/acme", account="master"))
    assert ready.statuses() == ["pending"]


def test_an_address_that_is_not_required_can_be_left_out(
    ready: Any, build: Any, make: Any, acme: Any
) -> None:
    """Such a row is satisfied without one."""
    without_review(ready, make, address=AddressRule(required=False, match="none", proof=False))
    ready.process(build.assigned(acme))
    assert ready.statuses() == ["approved"]


@pytest.mark.parametrize("days", [-1, 0])
def test_a_pending_verification_keeps_its_version(
    ready: Any, build: Any, make: Any, acme: Any, quay: Any, *, days: int
) -> None:
    """A newer version applies to submissions from its day on."""
    today = (build.zero + HOUR).date()
    first = make.requirement(key="ie.local.any", review=Review(manual=True))
    second = replace_dataclass(first, version=2, effective_from=today + timedelta(days=1 + days))
    ready.store(CountryRules(country="IE", places={}, requirements=(first, second)))
    ready.process(build.assigned(acme, quay))
    version = 2 if days < 0 else 1
    assert ready.verification().requirement_version == version
    ready.process(build.approve(), now=build.zero + timedelta(days=5))
    assert ready.axis_events[-1].requirement_version == version


@pytest.mark.parametrize(
    ("city", "status", "checks"),
    [
        ("Atlantis", "pending", (("IE", "address.match"),)),
        ("Dublin", "pending", ()),
        ("Cork", "rejected", ()),
    ],
)
def test_what_is_left_to_a_reviewer_is_counted_by_country_and_check(
    ready: Any, build: Any, make: Any, *, city: str, status: str, checks: tuple[Any, ...]
) -> None:
    """A suburb that no list names goes to a person, and the metric shows it. A rejection leaves nothing."""
    owner = make.company("other")
    place = make.address(owner, city)
    ready.store(owner, place)
    decision = ready.process(build.assigned(owner, place))
    assert ready.verification().status == status
    assert isinstance(decision, Decided)
    assert [each for each in decision.manual_checks if each[1] == "address.match"] == list(checks)
