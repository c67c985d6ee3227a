"""A revocation ends an approval and everything that rests on it, at once and without grace."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.decision import Decided, NewJob, Refused, Unchanged
from didflow_contracts.events import VerificationExpired
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.commands import RevokeResting

SECOND = UUID("0190a5b6-7c00-7000-8000-000000000002")
HOUR = timedelta(hours=1)


@pytest.fixture
def resting(pending: Any, build: Any, acme: Any, quay: Any) -> Any:
    """A reviewed number, and a second one that rests on its review."""
    pending.process(build.approve())
    pending.process_all(*second(build, acme, quay))
    return pending


def second(build: Any, identity: Any, address: Any) -> list[Any]:
    """Return the purchase of another number of the area, and the assignment of the same details."""
    one = type(build)()
    one.did, one.number = SECOND, "+35314567890"
    return [one.purchased(), one.assigned(identity, address, build.zero + HOUR)]


def revoke_resting(build: Any, revoked: UUID) -> RevokeResting:
    """Return the item of the job of a revocation for the second number."""
    one = type(build)()
    one.did, one.number = SECOND, "+35314567890"
    item: RevokeResting = one.revoke_resting(revoked)
    return item


def test_a_revoked_approval_expires_at_once(resting: Any, build: Any) -> None:
    """It has no grace. The reasons are those of the reviewer, and a job of the reviewer is started."""
    now = build.zero + 2 * HOUR
    resting.process(build.revoke(), now=now)
    event = resting.axis_events[-1]
    assert isinstance(event, VerificationExpired)
    assert (event.registration, event.reason, event.grace_until) == ("expired", "revoked", now)
    assert [reason.code for reason in event.reasons] == ["suspected_fraud"]
    verification = resting.verification()
    assert (verification.status, verification.revoked_by, verification.revoked_at) == (
        "revoked",
        "user:rita",
        now,
    )
    (job,) = resting.rows(NewJob)
    assert (job.kind, job.created_by, job.account, job.role) == (
        "revoke_resting",
        "user:rita",
        "master",
        "reviewer",
    )
    assert job.parameters == {"verification_id": str(verification.verification_id)}


def test_approvals_that_rest_on_a_revoked_one_expire_too(resting: Any, build: Any) -> None:
    """The job ends the approval of the second number. A second item for it finds nothing to do."""
    at = build.zero + 3 * HOUR
    first = resting.verification().verification_id
    assert resting.state(Registration, SECOND).approved.rests_on == first
    resting.process(build.revoke(), now=at - HOUR / 2)
    assert isinstance(resting.process(revoke_resting(build, first), now=at), Decided)
    gone = resting.state(Registration, SECOND)
    assert (gone.state, gone.grace_until, gone.approved) == ("expired", at, None)
    assert resting.state(Verification, verification_id(SECOND, 1)).status == "revoked"
    published = len(resting.axis_events)
    assert isinstance(resting.process(revoke_resting(build, first), now=at), Unchanged)
    assert len(resting.axis_events) == published


def test_the_revocation_of_another_review_changes_nothing(resting: Any, build: Any) -> None:
    """The second number does not rest on it."""
    before = resting.state(Registration, SECOND)
    assert isinstance(resting.process(revoke_resting(build, SECOND)), Unchanged)
    assert resting.state(Registration, SECOND) == before


def test_the_revocation_changes_nothing_of_an_ended_did(resting: Any, build: Any) -> None:
    """The DID was removed in the meantime."""
    one = type(build)()
    one.did, one.number = SECOND, "+35314567890"
    resting.process(one.removed())
    first = resting.verification().verification_id
    assert isinstance(resting.process(revoke_resting(build, first)), Unchanged)
    assert resting.state(Registration, SECOND).approved is not None


def test_no_new_approval_rests_on_a_revoked_review(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """The same details of a second number need a reviewer again."""
    pending.process_all(build.approve(), build.revoke())
    pending.process_all(*second(build, acme, quay))
    verification = pending.state(Verification, verification_id(SECOND, 1))
    assert (verification.status, verification.rests_on) == ("pending", None)


def test_the_same_details_are_reviewed_again_after_a_revocation(
    pending: Any, build: Any, acme: Any, quay: Any
) -> None:
    """They become the next verification and are not approved automatically."""
    pending.process_all(build.approve(), build.revoke())
    pending.process(build.assigned(acme, quay, build.zero + 2 * HOUR), now=build.zero + 3 * HOUR)
    assert pending.statuses() == ["revoked", "pending"]
    assert pending.registration.state == "pending"


def test_details_can_be_submitted_again_after_a_revocation(
    pending: Any, build: Any, acme: Any, quay: Any
) -> None:
    """An expired registration is treated like a rejected one."""
    pending.process_all(build.approve(), build.revoke())
    assert isinstance(pending.process(build.resubmit(1, acme, quay)), Decided)
    assert pending.registration.state == "pending"


def test_only_an_approved_verification_can_be_revoked(pending: Any, build: Any) -> None:
    """The refusal is `not_approved`."""
    outcome = pending.process(build.revoke())
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_approved"


def test_a_repeated_revocation_changes_nothing(resting: Any, build: Any) -> None:
    """Nothing more is published."""
    resting.process(build.revoke())
    published = len(resting.axis_events)
    assert isinstance(resting.process(build.revoke()), Unchanged)
    assert len(resting.axis_events) == published


def test_nobody_revokes_what_they_submitted(resting: Any, build: Any) -> None:
    """Another reviewer has to do it."""
    outcome = resting.process(build.revoke(subject="ann"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "own_submission"


def test_revoking_replaced_details_does_not_end_the_newer_ones(
    pending: Any, build: Any, make: Any, acme: Any, quay: Any
) -> None:
    """Newer details were approved since. They stay in force."""
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.approve())
    pending.process(build.assigned(other, its_address, build.zero + HOUR), now=build.zero + 2 * HOUR)
    pending.process(build.approve(2), now=build.zero + 2 * HOUR)
    published = len(pending.axis_events)
    pending.process(build.revoke(1), now=build.zero + 3 * HOUR)
    assert (pending.registration.state, len(pending.axis_events)) == ("approved", published)
    assert pending.statuses() == ["revoked", "approved"]


def test_the_approval_of_an_ended_did_can_still_be_revoked(resting: Any, build: Any) -> None:
    """Others can rest on it. Nothing is published about the ended DID."""
    resting.process(build.removed())
    published = len(resting.axis_events)
    resting.process(build.revoke())
    assert (resting.verification().status, len(resting.axis_events)) == ("revoked", published)
