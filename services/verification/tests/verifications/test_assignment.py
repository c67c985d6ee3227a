"""End-user details assigned to a DID: what becomes of it, by what they are and what was so before."""

from dataclasses import replace as amended
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_verification.domain.axes.verification import verification_id
from didflow_verification.domain.catalogue.rules import (
    AddressRule,
    CountryRules,
    IdentityField,
    Restriction,
    Review,
)

HOUR = timedelta(hours=1)


def free_of_review(stage: Any, make: Any, **row: Any) -> None:
    """Let Ireland ask for a company name and nobody's look."""
    fields = (IdentityField(field="company_name", applies_to="business"),)
    asked = make.requirement(key="ie.local.any", identity_fields=fields, **row)
    stage.store(CountryRules(country="IE", places={}, requirements=(asked,)))


def test_good_details_wait_for_a_reviewer(ready: Any, say: Any, acme: Any, quay: Any) -> None:
    """The registration is pending, the details are those in force, the attempt has all that was found."""
    ready.process(say.assigned(acme, quay))
    event = ready.axes()[-1]
    assert (ready.axis_topics()[-1], event.registration) == ("pending", "pending")
    assert (event.identity_id, event.address_id) == (acme.identity_id, quay.address_id)
    assert (event.verification_id, event.attempt) == (verification_id(say.did, 1), 1)
    assert (event.requirement, event.requirement_version) == ("ie.local.business", 1)
    assert event.reference == ready.attempt().reference
    attempt = ready.attempt()
    assert (attempt.status, attempt.prefix, attempt.submitted_by) == ("pending", "+3531", "user:ann")
    assert {f.check: f.passed for f in attempt.findings} == {
        "identity.company_name": True,
        "address": True,
        "address.match": True,
    }


def test_details_that_need_no_person_are_approved_at_once(
    ready: Any, say: Any, make: Any, acme: Any, quay: Any
) -> None:
    """All checks passed and the row wants no review: approved, automatic, resting on nobody."""
    free_of_review(ready, make)
    ready.process(say.assigned(acme, quay))
    event = ready.axes()[-1]
    assert (ready.axis_topics()[-1], event.registration) == ("approved", "approved")
    assert (event.automatic, event.rests_on) == (True, None)
    assert ready.statuses() == ["approved"]
    assert ready.registration.approved == ready.registration.assigned


def test_what_only_a_person_can_judge_waits_even_without_review(
    ready: Any, say: Any, make: Any, acme: Any
) -> None:
    """A check that is neither passed nor failed is not passed."""
    free_of_review(ready, make, restrictions=(Restriction(code="state_the_use", text="Say what for."),))
    ready.process(say.assigned(acme))
    assert ready.statuses() == ["pending"]


def test_wrong_details_are_rejected_with_every_reason(ready: Any, say: Any, make: Any) -> None:
    """A bad VAT number, no name and a foreign address: three reasons in one answer."""
    wrong = make.company(vat_number="2813105A")
    wrong = replace(wrong, person=replace(wrong.person, company_name=None))
    abroad = make.address(wrong, "Paris", "FR")
    ready.store(wrong, abroad)
    ready.process(say.assigned(wrong, abroad))
    event = ready.axes()[-1]
    assert (ready.axis_topics()[-1], event.registration) == ("rejected", "rejected")
    assert [(r.code, r.field) for r in event.reasons] == [
        ("missing_field", "identity.company_name"),
        ("bad_checksum", "identity.vat_number"),
        ("address_outside_area", "address.country"),
    ]
    assert all(r.message for r in event.reasons)


def test_a_type_of_end_user_without_a_row_is_rejected(ready: Any, say: Any, make: Any) -> None:
    """Ireland's local numbers are for businesses; a row for individuals alone is named the other way."""
    joan = make.somebody()
    ready.store(joan)
    ready.process(say.assigned(joan))
    assert [(r.code, r.field) for r in ready.axes()[-1].reasons] == [("business_only", "identity.type")]
    row = make.requirement(end_user_types=("individual",))
    ready.store(CountryRules(country="IE", places={}, requirements=(row,)))
    company = make.company("other")
    ready.store(company)
    ready.process(say.assigned(company, at=say.zero + HOUR))
    assert [r.code for r in ready.axes()[-1].reasons] == ["individual_only"]


def test_another_accounts_identity_is_rejected_and_nothing_is_said_of_it(
    ready: Any, say: Any, make: Any
) -> None:
    """`not_yours`, as for one that does not exist; none of its checks are listed."""
    foreign = make.company("globex", account="master/globex")
    ready.store(foreign)
    ready.process(say.assigned(foreign))
    assert [(r.code, r.field) for r in ready.axes()[-1].reasons] == [("not_yours", "identity_id")]
    assert [f.check for f in ready.attempt().findings] == ["identity"]
    ready.process(say.assigned(make.company("nobody"), at=say.zero + HOUR))
    assert [r.code for r in ready.axes()[-1].reasons] == ["not_yours"]


def test_the_requirement_gives_nothing_away_of_anothers_identity(stage: Any, say: Any, make: Any) -> None:
    """Spain asks persons and businesses differently: for another's identity the row of the order is named."""
    say.number = "+34911234567"
    foreign = make.somebody("juan", account="master/globex")
    stage.store(foreign)
    stage.process_all(say.purchased(), say.assigned(foreign))
    assert stage.axes()[-1].requirement == "es.local.business"


def test_an_identity_above_serves_and_one_below_does_not(ready: Any, say: Any, make: Any) -> None:
    """An identity serves its account and those below."""
    above, below = make.company("above", account="master"), make.company("below", account="master/acme/shop")
    places = make.address(above), make.address(below)
    ready.store(above, below, *places)
    ready.process(say.assigned(above, places[0]))
    ready.process(say.assigned(below, places[1], at=say.zero + HOUR))
    assert ready.statuses() == ["superseded", "rejected"]


def test_an_address_of_another_identity_and_unknown_documents_are_not_yours(
    ready: Any, say: Any, make: Any, acme: Any
) -> None:
    """Address and documents belong to the identity they are given with."""
    other = make.company("other")
    address = make.address(other)
    ready.store(other, address)
    ready.process(say.assigned(acme, address, document_ids=[str(uuid4())]))
    assert [r.field for r in ready.axes()[-1].reasons] == ["address_id", "document_ids"]


def test_a_missing_address_is_named(ready: Any, say: Any, acme: Any) -> None:
    """No address where one is asked for."""
    ready.process(say.assigned(acme))
    assert [(r.code, r.field) for r in ready.axes()[-1].reasons] == [("address_missing", "address")]


def test_details_on_a_free_number_are_kept_and_said_again(
    stage: Any, say: Any, make: Any, acme: Any, quay: Any
) -> None:
    """Services need them; the axis stays, there is no attempt."""
    say.number = "+442079460000"
    stage.store(acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay))
    event = stage.axes()[-1]
    assert (stage.axis_topics(), event.registration) == (["not_required", "not_required"], "not_required")
    assert (event.identity_id, event.address_id) == (acme.identity_id, quay.address_id)
    assert (event.verification_id, stage.registration.attempt) == (None, 0)


def test_anothers_details_on_a_free_number_are_refused(stage: Any, say: Any, make: Any) -> None:
    """Ownership is checked even where nothing else is."""
    say.number = "+442079460000"
    foreign = make.company("globex", account="master/globex")
    stage.store(foreign)
    stage.process(say.purchased())
    assert isinstance(stage.process(say.assigned(foreign)), Refused)
    assert (stage.refusals(), stage.in_force, len(stage.axes())) == (["not_yours"], None, 1)


def test_the_same_details_again_change_nothing(pending: Any, say: Any, acme: Any, quay: Any) -> None:
    """Neither another attempt nor another event, at whatever time they are assigned again."""
    assert pending.process(say.assigned(acme, quay)) == Unchanged()
    assert isinstance(pending.process(say.assigned(acme, quay, at=say.zero + HOUR)), Decided)
    assert (pending.statuses(), len(pending.axes())) == (["pending"], 2)


def test_the_same_identity_changed_meanwhile_is_submitted_again(
    pending: Any, say: Any, acme: Any, quay: Any
) -> None:
    """A new revision is other details."""
    pending.store(replace(acme, revision=2))
    pending.process(say.assigned(acme, quay, at=say.zero + HOUR))
    assert pending.statuses() == ["superseded", "pending"]


def test_older_details_than_those_in_force_are_ignored(pending: Any, say: Any, make: Any) -> None:
    """By when they were assigned, not by when they arrive."""
    other = make.company("other")
    pending.store(other)
    assert pending.process(say.assigned(other, at=say.zero - HOUR)) == Unchanged()
    assert pending.statuses() == ["pending"]


def test_a_clock_that_runs_ahead_does_not_shut_out_those_after_it(
    ready: Any, say: Any, make: Any, acme: Any, quay: Any
) -> None:
    """An assignment dated in the future counts as of now."""
    ready.process(say.assigned(acme, quay, at=say.zero + timedelta(days=365)))
    other = make.company("other")
    there = make.address(other)
    ready.store(other, there)
    ready.process(say.assigned(other, there, at=say.zero + 2 * HOUR), now=say.zero + 3 * HOUR)
    assert ready.statuses() == ["superseded", "pending"]


def test_an_assignment_without_its_own_instant_counts_from_the_events(
    pending: Any, say: Any, make: Any
) -> None:
    """`assigned_at` may be left out; then it is the event's `time`."""
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    assert pending.process(say.assigned(other, there, at=say.zero - HOUR, assigned_at=None)) == Unchanged()
    pending.process(say.assigned(other, there, at=say.zero + HOUR, assigned_at=None))
    assert pending.registration.assigned_at == say.zero + HOUR


def test_newer_details_take_the_place_of_an_open_attempt(pending: Any, say: Any, make: Any) -> None:
    """The old attempt is superseded, the next one is the one said."""
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    pending.process(say.assigned(other, there, at=say.zero + HOUR))
    assert pending.statuses() == ["superseded", "pending"]
    assert (pending.axes()[-1].attempt, pending.axes()[-1].identity_id) == (2, other.identity_id)


def test_new_details_leave_the_approved_ones_in_force(pending: Any, say: Any, make: Any) -> None:
    """The DID stays approved with the old details while the new ones are looked at, and when they fail."""
    pending.process(say.approve())
    approved = pending.in_force
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    pending.process(say.assigned(other, there, at=say.zero + HOUR))
    event = pending.axes()[-1]
    assert (pending.axis_topics()[-1], event.registration, event.attempt) == ("pending", "approved", 2)
    assert event.identity_id == approved.identity_id
    pending.process(say.reject(2, "mismatch"))
    event = pending.axes()[-1]
    assert (pending.axis_topics()[-1], event.registration) == ("rejected", "approved")
    assert (event.identity_id, pending.in_force) == (approved.identity_id, approved)
    assert [r.code for r in event.reasons] == ["mismatch"]


def test_new_details_are_in_force_once_they_are_approved(pending: Any, say: Any, make: Any) -> None:
    """From the approval on, not before."""
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    pending.process(say.approve())
    pending.process(say.assigned(other, there, at=say.zero + HOUR))
    pending.process(say.approve(2))
    assert (pending.axes()[-1].registration, pending.axes()[-1].identity_id) == (
        "approved",
        other.identity_id,
    )
    assert pending.in_force.attempt == 2


def test_an_outside_source_assigns_only_to_its_own_dids(ready: Any, say: Any, acme: Any, quay: Any) -> None:
    """A portal that names another account is refused; one that names the owner, or a node above, is heard."""
    refused = ready.process(say.assigned(acme, quay, source="/portals/globex", account="master/globex"))
    assert isinstance(refused, Refused)
    assert refused.code == "not_yours"
    ready.process(say.assigned(acme, quay, source="/portals/acme", account="master"))
    assert ready.statuses() == ["pending"]


def test_an_address_that_is_not_needed_may_be_left_out(ready: Any, say: Any, make: Any, acme: Any) -> None:
    """A row without an address is satisfied without one."""
    free_of_review(ready, make, address=AddressRule(required=False, match="none", proof=False))
    ready.process(say.assigned(acme))
    assert ready.statuses() == ["approved"]


@pytest.mark.parametrize("days", [-1, 0])
def test_a_pending_attempt_keeps_the_version_it_started_under(
    ready: Any, say: Any, make: Any, acme: Any, quay: Any, *, days: int
) -> None:
    """A newer version counts for submissions from its day on."""
    today = (say.zero + HOUR).date()
    first = make.requirement(key="ie.local.any", review=Review(manual=True))
    second = amended(first, version=2, effective_from=today + timedelta(days=1 + days))
    ready.store(CountryRules(country="IE", places={}, requirements=(first, second)))
    ready.process(say.assigned(acme, quay))
    version = 2 if days < 0 else 1
    assert ready.attempt().requirement_version == version
    ready.process(say.approve(), now=say.zero + timedelta(days=5))
    assert ready.axes()[-1].requirement_version == version
