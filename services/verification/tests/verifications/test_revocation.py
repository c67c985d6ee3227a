"""A revocation ends what it approved and all that rests on it, at once and with nothing that still counts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.events import VerificationExpired
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.clock.recheck import Recheck
from didflow_verification.domain.verifications.revoking import Revocation

SECOND = UUID("0190a5b6-7c00-7000-8000-000000000002")
HOUR = timedelta(hours=1)


@pytest.fixture
def resting(pending: Any, say: Any, acme: Any, quay: Any) -> Any:
    """A reviewed number and a second one that rests on its review."""
    pending.process(say.approve())
    pending.process_all(*second(say, acme, quay))
    return pending


def second(say: Any, identity: Any, address: Any) -> list[Any]:
    """Another number of the area with the same details."""
    one = type(say)()
    one.did, one.number = SECOND, "+35314567890"
    return [one.purchased(), one.assigned(identity, address, say.zero + HOUR)]


def recheck(stage: Any, at: Any, revoked: UUID | None) -> Recheck:
    """What writing a revocation leaves for the second number."""
    made = Recheck(did_id=SECOND, number="+35314567890", due_at=at, revoked=revoked)
    stage.store(made)
    return made


def test_a_revoked_approval_expires_at_once(resting: Any, say: Any) -> None:
    """Nothing counts after it; the reasons are the reviewer's; who revoked it is kept."""
    now = say.zero + 2 * HOUR
    resting.process(say.revoke(), now=now)
    event = resting.axes()[-1]
    assert isinstance(event, VerificationExpired)
    assert (event.registration, event.reason, event.grace_until) == ("expired", "revoked", now)
    assert [reason.code for reason in event.reasons] == ["suspected_fraud"]
    attempt = resting.attempt()
    assert (attempt.status, attempt.decided_by, attempt.decided_at) == ("revoked", "rita", now)
    assert resting.state(Revocation, attempt.verification_id).revoked_by == "user:rita"


def test_what_rests_on_it_expires_too(resting: Any, say: Any) -> None:
    """The second number, when the clock comes to it; a look a second time finds nothing."""
    at = say.zero + 3 * HOUR
    first = resting.attempt().verification_id
    assert resting.state(Registration, SECOND).approved.rests_on == first
    resting.process(say.revoke(), now=at)
    recheck(resting, at, first)
    resting.run_timers(at)
    gone = resting.state(Registration, SECOND)
    assert (gone.state, gone.grace_until, gone.approved) == ("expired", at, None)
    assert resting.state(Verification, verification_id(SECOND, 1)).status == "revoked"
    said = len(resting.axes())
    recheck(resting, at, first)
    resting.run_timers(at)
    assert len(resting.axes()) == said


def test_what_rests_on_another_review_stays(resting: Any, say: Any) -> None:
    """A look for a review that the number does not rest on changes nothing."""
    before = resting.state(Registration, SECOND)
    recheck(resting, say.zero + 3 * HOUR, SECOND)
    resting.run_timers(say.zero + 3 * HOUR)
    assert resting.state(Registration, SECOND) == before


def test_a_look_at_an_ended_did_does_nothing(resting: Any, say: Any) -> None:
    """Removed meanwhile: frozen."""
    one = type(say)()
    one.did, one.number = SECOND, "+35314567890"
    resting.process(one.removed())
    recheck(resting, say.zero + 3 * HOUR, resting.attempt().verification_id)
    resting.run_timers(say.zero + 3 * HOUR)
    assert resting.state(Registration, SECOND).approved is not None


def test_nobody_rests_on_a_revoked_review_any_more(pending: Any, say: Any, acme: Any, quay: Any) -> None:
    """The same details for a second number need a reviewer again."""
    pending.process_all(say.approve(), say.revoke())
    pending.process_all(*second(say, acme, quay))
    attempt = pending.state(Verification, verification_id(SECOND, 1))
    assert (attempt.status, attempt.rests_on) == ("pending", None)


def test_the_same_details_after_a_revocation_are_reviewed_anew(
    pending: Any, say: Any, acme: Any, quay: Any
) -> None:
    """A next attempt, and not approved by itself."""
    pending.process_all(say.approve(), say.revoke())
    pending.process(say.assigned(acme, quay, say.zero + 2 * HOUR), now=say.zero + 3 * HOUR)
    assert pending.statuses() == ["revoked", "pending"]
    assert pending.registration.state == "pending"


def test_resubmitting_after_the_end_is_possible(pending: Any, say: Any, acme: Any, quay: Any) -> None:
    """An account may answer an expired registration as it answers a rejected one."""
    pending.process_all(say.approve(), say.revoke())
    assert isinstance(pending.process(say.resubmit(1, acme, quay)), Decided)
    assert pending.registration.state == "pending"


def test_only_what_is_approved_can_be_revoked(pending: Any, say: Any) -> None:
    """Neither what waits nor what was rejected."""
    outcome = pending.process(say.revoke())
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_approved"


def test_a_revocation_again_changes_nothing(resting: Any, say: Any) -> None:
    """Under another key: nothing more is said."""
    resting.process(say.revoke())
    said = len(resting.axes())
    assert isinstance(resting.process(say.revoke()), Unchanged)
    assert len(resting.axes()) == said


def test_nobody_revokes_what_they_submitted(resting: Any, say: Any) -> None:
    """A second pair of eyes here too."""
    outcome = resting.process(say.revoke(subject="ann"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "own_submission"


def test_a_revocation_of_details_that_are_in_force_no_more_ends_only_what_rests_on_them(
    pending: Any, say: Any, make: Any, acme: Any, quay: Any
) -> None:
    """Newer details were approved since: they stay in force."""
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    pending.process(say.approve())
    pending.process(say.assigned(other, there, say.zero + HOUR), now=say.zero + 2 * HOUR)
    pending.process(say.approve(2), now=say.zero + 2 * HOUR)
    said = len(pending.axes())
    pending.process(say.revoke(1), now=say.zero + 3 * HOUR)
    assert (pending.registration.state, len(pending.axes())) == ("approved", said)
    assert pending.statuses() == ["revoked", "approved"]


def test_an_ended_dids_approval_can_still_be_revoked_for_those_that_rest_on_it(
    resting: Any, say: Any
) -> None:
    """Nothing is said of the ended one."""
    resting.process(say.removed())
    said = len(resting.axes())
    resting.process(say.revoke())
    assert (resting.attempt().status, len(resting.axes())) == ("revoked", said)
