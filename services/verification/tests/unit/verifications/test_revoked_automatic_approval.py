"""The revocation of an automatic approval also revokes the review that it rests on, unless only this one is named."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace as replace_struct

from didflow_chassis.decision import Decided, NewJob, Refused, Unchanged
from didflow_contracts.events import VerificationExpired
from didflow_verification.domain.axes.registration import Lapse, Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.registration.lapse import lapsed
from didflow_verification.domain.requirements import CountryRules, DocumentGroup, Review
from didflow_verification.domain.verifications.approval import Approval

SECOND = UUID("0190a5b6-7c00-7000-8000-000000000002")
THIRD = UUID("0190a5b6-7c00-7000-8000-000000000003")
NUMBERS = {SECOND: "+35314567890", THIRD: "+35314567891"}
HOUR = timedelta(hours=1)


def named(build: Any, did: UUID) -> Any:
    """Return the messages about another number of the same area."""
    one = type(build)()
    one.did, one.number = did, NUMBERS[did]
    return one


@pytest.fixture
def second(build: Any) -> Any:
    """Messages about the number that rests on the review of the first."""
    return named(build, SECOND)


@pytest.fixture
def resting(pending: Any, build: Any, second: Any, acme: Any, quay: Any) -> Any:
    """A reviewed number, and a second one that was approved automatically and rests on that review."""
    pending.process(build.approve())
    pending.process_all(second.purchased(), second.assigned(acme, quay, build.zero + HOUR))
    assert pending.state(Registration, SECOND).approved.rests_on == verification_id(build.did, 1)
    return pending


def attempt(stage: Any, did: UUID, number: int = 1) -> Verification:
    """Return one verification of a DID."""
    found = stage.state(Verification, verification_id(did, number))
    assert isinstance(found, Verification)
    return found


def run_revocation(stage: Any, build: Any, *dids: UUID) -> None:
    """Run the items of the job of the revocation of the first number's review."""
    for did in dids:
        one = build if did == build.did else named(build, did)
        stage.process(one.revoke_resting(verification_id(build.did, 1)), now=build.zero + 3 * HOUR)


def test_the_details_of_a_revoked_automatic_approval_are_not_approved_again_at_once(
    resting: Any, build: Any, second: Any, acme: Any, quay: Any
) -> None:
    """The account submits the same details again. They wait for a person."""
    resting.process(second.revoke(), now=build.zero + 2 * HOUR)
    assert resting.state(Registration, SECOND).state == "expired"
    resting.process(second.resubmit(1, acme, quay), now=build.zero + 2 * HOUR)
    assert attempt(resting, SECOND, 2).status == "pending"
    assert resting.state(Registration, SECOND).state == "pending"


def test_the_review_that_a_revoked_automatic_approval_rests_on_is_revoked_by_the_same_decision(
    resting: Any, build: Any, second: Any
) -> None:
    """Both have the reviewer, the instant and the reasons. One job ends what rests on the review."""
    now = build.zero + 2 * HOUR
    resting.process(second.revoke(), now=now)
    for one in (attempt(resting, SECOND), attempt(resting, build.did)):
        assert (one.status, one.revoked_by, one.revoked_at) == ("revoked", "user:rita", now)
        assert [reason.code for reason in one.reasons] == ["suspected_fraud"]
    (job,) = resting.rows(NewJob)
    assert job.parameters == {"verification_id": str(verification_id(build.did, 1))}
    assert job.job_id == verification_id(build.did, 1)
    assert [approval.valid_until for approval in resting.states(Approval)] == [now]


def test_who_approved_and_when_is_known_after_the_revocation(resting: Any, build: Any, second: Any) -> None:
    """A job revokes the approval that it reaches for the reviewer who revoked the review."""
    approved = [attempt(resting, SECOND), attempt(resting, build.did)]
    assert [one.decided_by for one in approved] == [None, "user:rita"]
    resting.process(build.revoke(subject="otto"), now=build.zero + 2 * HOUR)
    run_revocation(resting, build, SECOND)
    revoked = [attempt(resting, SECOND), attempt(resting, build.did)]
    assert [(one.decided_by, one.decided_at) for one in revoked] == [
        (one.decided_by, one.decided_at) for one in approved
    ]
    assert [one.revoked_at for one in revoked] == [build.zero + 3 * HOUR, build.zero + 2 * HOUR]


def test_the_job_also_ends_the_approval_of_the_number_that_was_reviewed(
    resting: Any, build: Any, second: Any
) -> None:
    """It expires without grace, with the reasons of the reviewer. A second item finds nothing to do."""
    resting.process(second.revoke(), now=build.zero + 2 * HOUR)
    run_revocation(resting, build, build.did, SECOND)
    event = resting.axis_events[-1]
    assert isinstance(event, VerificationExpired)
    assert (event.did_id, event.registration, event.reason) == (build.did, "expired", "revoked")
    assert [reason.code for reason in event.reasons] == ["suspected_fraud"]
    assert event.grace_until == build.zero + 3 * HOUR
    published = len(resting.axis_events)
    run_revocation(resting, build, build.did, SECOND)
    assert len(resting.axis_events) == published


def test_no_new_number_rests_on_a_review_that_was_revoked_through_another_number(
    resting: Any, build: Any, second: Any, acme: Any, quay: Any
) -> None:
    """It is assigned right after the revocation, before the job has run."""
    resting.process(second.revoke(), now=build.zero + 2 * HOUR)
    third = named(build, THIRD)
    for message in (third.purchased(), third.assigned(acme, quay, build.zero + 2 * HOUR)):
        resting.process(message, now=build.zero + 2 * HOUR)
    assert (attempt(resting, THIRD).status, attempt(resting, THIRD).rests_on) == ("pending", None)


def test_only_this_leaves_the_review_and_the_others_as_they_are(
    resting: Any, build: Any, second: Any, acme: Any, quay: Any
) -> None:
    """The first number stays approved, and a third one can rest on its review. There is no job."""
    resting.process(second.revoke(only_this=True), now=build.zero + 2 * HOUR)
    assert attempt(resting, SECOND).status == "revoked"
    assert attempt(resting, build.did).status == "approved"
    assert resting.registration.state == "approved"
    assert resting.rows(NewJob) == []
    third = named(build, THIRD)
    for message in (third.purchased(), third.assigned(acme, quay, build.zero + 2 * HOUR)):
        resting.process(message, now=build.zero + 2 * HOUR)
    assert attempt(resting, THIRD).status == "approved"


@pytest.mark.parametrize("way", ["resubmit", "assign", "reassess"])
def test_after_only_this_the_same_details_go_to_a_person_in_every_way(
    resting: Any, build: Any, second: Any, later: Any, *, acme: Any, quay: Any, way: str
) -> None:
    """They are submitted again, assigned again, or changed by somebody who then changes them back."""
    resting.process(second.revoke(only_this=True), now=build.zero + 2 * HOUR)
    if way == "resubmit":
        resting.process(second.resubmit(1, acme, quay), now=build.zero + 3 * HOUR)
    elif way == "assign":
        resting.process(second.assigned(acme, quay, build.zero + 3 * HOUR), now=build.zero + 3 * HOUR)
    else:
        resting.store(later(acme, revision=2))
        resting.process(build.reassess(), now=build.zero + 3 * HOUR)
        resting.process(build.approve(2), now=build.zero + 3 * HOUR)
        resting.process(second.reassess(), now=build.zero + 3 * HOUR)
    assert (attempt(resting, SECOND, 2).status, attempt(resting, SECOND, 2).rests_on) == ("pending", None)


def test_after_only_this_the_approval_of_another_number_does_not_cover_this_one(
    resting: Any, build: Any, second: Any, acme: Any, quay: Any
) -> None:
    """Somebody else's number with the same details was approved while this one waits. A person judges this one."""
    resting.process(second.revoke(only_this=True), now=build.zero + 2 * HOUR)
    resting.process(second.resubmit(1, acme, quay), now=build.zero + 2 * HOUR)
    assert isinstance(resting.process(second.approve_covered(verification_id(build.did, 1))), Unchanged)
    assert attempt(resting, SECOND, 2).status == "pending"


def test_a_person_who_approves_the_details_again_ends_the_need_for_one(
    resting: Any, build: Any, second: Any, acme: Any, *, quay: Any, make: Any
) -> None:
    """Details in between and the same ones afterwards are judged like those of any number."""
    resting.process(second.revoke(only_this=True), now=build.zero + 2 * HOUR)
    resting.process(second.resubmit(1, acme, quay), now=build.zero + 2 * HOUR)
    resting.process(second.approve(2), now=build.zero + 2 * HOUR)
    other = make.company("other")
    its_address = make.address(other)
    resting.store(other, its_address)
    at = build.zero + 3 * HOUR
    resting.process(second.assigned(other, its_address, at), now=at)
    resting.process(second.assigned(acme, quay, at + HOUR), now=at + HOUR)
    assert (attempt(resting, SECOND, 4).status, attempt(resting, SECOND, 4).automatic) == ("approved", True)


def test_only_this_is_refused_for_a_review(resting: Any, build: Any) -> None:
    """A reviewed approval does not rest on another one. The refusal is `not_automatic`."""
    outcome = resting.process(build.revoke(only_this=True))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("not_automatic", "only_this")
    assert attempt(resting, build.did).status == "approved"


def test_the_review_can_still_be_revoked_after_only_this(resting: Any, build: Any, second: Any) -> None:
    """The same call without it finds the approval revoked and revokes the review. Once more, it changes nothing."""
    resting.process(second.revoke(only_this=True))
    assert isinstance(resting.process(second.revoke(only_this=True)), Unchanged)
    assert isinstance(resting.process(second.revoke()), Decided)
    assert attempt(resting, build.did).status == "revoked"
    assert isinstance(resting.process(second.revoke()), Unchanged)
    assert isinstance(resting.process(second.revoke(only_this=True)), Unchanged)
    assert len(resting.rows(NewJob)) == 1


def test_a_review_that_was_revoked_before_is_not_revoked_twice(resting: Any, build: Any, second: Any) -> None:
    """The first number's review was revoked, and the job has not reached the second number yet."""
    resting.process(build.revoke())
    assert isinstance(resting.process(second.revoke()), Decided)
    assert len(resting.rows(NewJob)) == 1
    assert resting.state(Registration, SECOND).state == "expired"


def test_nobody_revokes_a_review_of_their_own_submission_through_another_number(
    resting: Any, second: Any
) -> None:
    """Ann submitted the first number's details. She may revoke neither of both."""
    outcome = resting.process(second.revoke(subject="ann"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "own_submission"
    assert attempt(resting, SECOND).status == "approved"


def test_a_reviewer_below_the_account_of_the_review_cannot_revoke_it(
    pending: Any, build: Any, second: Any, acme: Any, quay: Any
) -> None:
    """The number went to the shop. The shop's reviewer can revoke only this approval."""
    pending.process(build.approve())
    pending.process_all(
        second.purchased(),
        second.did_changed("master/acme/shop", build.zero + HOUR),
        second.assigned(acme, quay, build.zero),
    )
    assert attempt(pending, SECOND).rests_on == verification_id(build.did, 1)
    outcome = pending.process(second.revoke(account="master/acme/shop"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, attempt(pending, SECOND).status) == ("not_yours", "approved")
    assert isinstance(pending.process(second.revoke(account="master/acme/shop", only_this=True)), Decided)


@pytest.fixture
def unreviewed(new_stage: Any, make: Any, build: Any) -> Any:
    """A number under a row that needs no person, approved by the row, and its details."""
    rules = CountryRules(country="IE", languages=(), places={}, requirements=(make.requirement(),))
    stage, acme = new_stage((rules,)), make.company()
    stage.store(acme)
    stage.process_all(build.purchased(), build.assigned(acme))
    assert (stage.verification().automatic, stage.verification().rests_on) == (True, None)
    return stage


@pytest.mark.parametrize("only_this", [True, False])
def test_details_approved_by_a_row_without_review_need_a_person_after_a_revocation(
    unreviewed: Any, build: Any, make: Any, *, only_this: bool
) -> None:
    """The approval rests on nothing, so it alone is revoked. The same details wait for a person."""
    unreviewed.process(build.revoke(only_this=only_this))
    unreviewed.process(build.resubmit(1, make.company()))
    assert unreviewed.statuses() == ["revoked", "pending"]


def test_another_number_does_not_get_revoked_details_approved_without_a_person(
    unreviewed: Any, build: Any, second: Any, make: Any
) -> None:
    """It is under the same row without review. After a person approved them, the row approves them again."""
    unreviewed.process(build.revoke())
    acme, third = make.company(), named(build, THIRD)
    unreviewed.process_all(second.purchased(), second.assigned(acme))
    assert attempt(unreviewed, SECOND).status == "pending"
    unreviewed.process(second.approve())
    unreviewed.process_all(third.purchased(), third.assigned(acme))
    assert attempt(unreviewed, THIRD).status == "approved"


def test_the_documents_of_the_review_go_to_the_person_with_details_that_rested_on_it(
    new_stage: Any, build: Any, second: Any, make: Any, *, acme: Any
) -> None:
    """The second number came without documents. The third one rests on its new review, with the same documents."""
    group = DocumentGroup(group="proof_of_identity", accepts=("utility_bill",), max_age_days=None)
    row = make.requirement(documents=(group,), review=Review(manual=True))
    stage = new_stage((CountryRules(country="IE", places={}, requirements=(row,)),))
    bill = Document(
        document_id=THIRD,
        identity_id=acme.identity_id,
        account=acme.account,
        kind="utility_bill",
        media_type="application/pdf",
        size=1,
        content_id=None,
        issued_on=build.zero.date(),
        expires_on=None,
        states=(),
        created_at=build.zero,
        created_by="user:ann",
    )
    stage.store(acme, bill)
    stage.process_all(build.purchased(), build.assigned(acme, document_ids=[THIRD]), build.approve())
    stage.process_all(second.purchased(), second.assigned(acme))
    assert attempt(stage, SECOND).rests_on == verification_id(build.did, 1)
    stage.process_all(second.revoke(only_this=True), second.resubmit(1, acme))
    again = attempt(stage, SECOND, 2)
    assert (again.status, again.document_ids) == ("pending", (THIRD,))
    third = named(build, THIRD)
    stage.process_all(second.approve(2), third.purchased(), third.assigned(acme))
    assert attempt(stage, THIRD).rests_on == verification_id(SECOND, 2)


def test_an_approval_that_rests_on_an_earlier_review_of_the_same_number_is_revoked_with_it(
    pending: Any, build: Any, make: Any, acme: Any, quay: Any
) -> None:
    """Other details came in between and were never decided. Both attempts end by one decision."""
    pending.process(build.approve())
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.assigned(other, its_address, build.zero + HOUR), now=build.zero + HOUR)
    pending.process(build.assigned(acme, quay, build.zero + 2 * HOUR), now=build.zero + 2 * HOUR)
    assert pending.verification(3).rests_on == verification_id(build.did, 1)
    pending.process(build.revoke(3), now=build.zero + 3 * HOUR)
    assert pending.statuses() == ["revoked", "superseded", "revoked"]
    assert pending.registration.state == "expired"
    pending.process(build.revoke_resting(verification_id(build.did, 1)), now=build.zero + 3 * HOUR)
    pending.process(build.resubmit(3, acme, quay), now=build.zero + 3 * HOUR)
    assert pending.statuses()[3:] == ["pending"]


def expire_by_date(stage: Any, build: Any, did: UUID) -> None:
    """End the approval of a DID by the date of its proof."""
    lapse = Lapse(at=build.zero + HOUR, reason="proof_ended", grace_until=build.zero + HOUR)
    stage.store(lapsed(stage.state(Registration, did), lapse).registration)


def test_a_later_approval_of_another_number_does_not_cover_details_whose_revocation_has_not_arrived(
    resting: Any, build: Any, second: Any, *, acme: Any, quay: Any, at_two: Any
) -> None:
    """The approval had ended by its date, so the details were assigned again before the job of the revocation ran."""
    expire_by_date(resting, build, SECOND)
    at_two(build.revoke())
    at_two(second.assigned(acme, quay, build.zero + 2 * HOUR))
    assert attempt(resting, SECOND, 2).status == "pending"
    third = named(build, THIRD)
    at_two(third.purchased(), third.assigned(acme, quay, build.zero + 2 * HOUR), third.approve())
    covered = replace(second.approve_covered(verification_id(THIRD, 1)), approved_number=third.number)
    assert isinstance(resting.process(covered, now=build.zero + 3 * HOUR), Unchanged)

    run_revocation(resting, build, SECOND)
    registration = resting.state(Registration, SECOND)
    assert (registration.state, len(registration.revoked)) == ("pending", 1)
    assert attempt(resting, SECOND, 1).status == "revoked"
    resting.process(second.approve(2), now=build.zero + 4 * HOUR)
    registration = resting.state(Registration, SECOND)
    assert (registration.state, registration.revoked, registration.ended_approval) == ("approved", (), None)


def test_a_new_review_does_not_approve_a_number_whose_own_approval_was_revoked(
    resting: Any, build: Any, second: Any, *, acme: Any, quay: Any, at_two: Any
) -> None:
    """A new review of another number covers other numbers, but not the one whose own approval was revoked."""
    expire_by_date(resting, build, SECOND)
    at_two(build.revoke())
    third = named(build, THIRD)
    at_two(third.purchased(), third.assigned(acme, quay, build.zero + 2 * HOUR), third.approve())
    at_two(second.assigned(acme, quay, build.zero + 2 * HOUR))
    assert attempt(resting, SECOND, 2).status == "pending"


@pytest.fixture
def at_two(resting: Any, build: Any) -> Any:
    """The function that processes messages two hours after the start."""

    def process(*messages: Any) -> None:
        for message in messages:
            assert isinstance(resting.process(message, now=build.zero + 2 * HOUR), Decided)

    return process


@pytest.mark.parametrize("way", ["submitted", "covered"])
def test_details_in_force_are_not_approved_automatically_between_their_revocation_and_its_job(
    resting: Any, build: Any, second: Any, *, acme: Any, quay: Any, make: Any, at_two: Any, way: str
) -> None:
    """The address has a new revision, another number's details are reviewed, and the job has not come yet."""
    at_two(build.revoke())
    newer, third = replace_struct(quay, revision=2), named(build, THIRD)
    resting.store(newer)
    reviewed = (third.purchased(), third.assigned(acme, newer, build.zero + 2 * HOUR), third.approve())
    again = second.assigned(acme, newer, build.zero + 2 * HOUR)
    if way == "submitted":
        at_two(*reviewed, again)
    else:
        at_two(again, *reviewed)
        covered = replace(second.approve_covered(verification_id(THIRD, 1)), approved_number=third.number)
        assert isinstance(resting.process(covered, now=build.zero + 2 * HOUR), Unchanged)
    run_revocation(resting, build, SECOND)
    registration = resting.state(Registration, SECOND)
    assert (registration.state, registration.approved, len(registration.revoked)) == ("pending", None, 1)
    assert [attempt(resting, SECOND, each).status for each in (1, 2)] == ["revoked", "pending"]


@pytest.mark.parametrize("way", ["submitted", "covered", "reviewed"])
def test_details_that_others_replace_before_the_job_of_their_revocation_go_to_a_person_when_they_come_back(
    resting: Any, build: Any, second: Any, *, acme: Any, quay: Any, make: Any, at_two: Any, way: str
) -> None:
    """The other address is approved at once, by the review of another number, or by a reviewer."""
    other, third = make.address(acme, street="2 Other Street"), named(build, THIRD)
    resting.store(other)
    reviewed = (third.purchased(), third.assigned(acme, other, build.zero + 2 * HOUR), third.approve())
    change = second.assigned(acme, other, build.zero + 2 * HOUR)
    if way == "submitted":
        at_two(*reviewed, build.revoke(), change)
    elif way == "covered":
        covered = replace(second.approve_covered(verification_id(THIRD, 1)), approved_number=third.number)
        at_two(change, *reviewed, build.revoke(), covered)
    else:
        at_two(change, build.revoke(), second.approve(2))
    assert attempt(resting, SECOND, 2).status == "approved"
    review = third.assigned(acme, quay, build.zero + 3 * HOUR)
    later = {"now": build.zero + 3 * HOUR}
    if way == "reviewed":
        resting.process(third.purchased(), **later)
    resting.process(review, **later)
    resting.process(third.approve(1 if way == "reviewed" else 2), **later)
    resting.process(second.assigned(acme, quay, build.zero + 3 * HOUR), **later)
    assert attempt(resting, SECOND, 3).status == "pending"
