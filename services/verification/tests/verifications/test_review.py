"""What reviewers decide, and what keeps two of them from deciding differently."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_verification.domain.verifications.claims import CLAIM_HOLDS

HOUR = timedelta(hours=1)


def code_of(outcome: Any) -> str:
    """The code of a refusal."""
    assert isinstance(outcome, Refused)
    return outcome.code


def test_an_approval_puts_the_details_in_force(pending: Any, say: Any, acme: Any) -> None:
    """Approved by a person, kept with who and when."""
    outcome = pending.process(say.approve())
    event = pending.axes()[-1]
    assert (pending.axis_topics()[-1], event.registration, event.identity_id) == (
        "approved",
        "approved",
        acme.identity_id,
    )
    assert (event.automatic, event.rests_on, event.reasons) == (False, None, ())
    attempt = pending.attempt()
    assert (attempt.status, attempt.decided_by, attempt.decided_at) == ("approved", "rita", say.zero + HOUR)
    assert isinstance(outcome, Decided)
    assert outcome.answer == attempt


def test_a_rejection_says_why(pending: Any, say: Any, acme: Any) -> None:
    """Its reasons are in the event and with the attempt; the details stay the last assigned."""
    pending.process(say.reject(1, "mismatch", "suspected_fraud"))
    event = pending.axes()[-1]
    assert (pending.axis_topics()[-1], event.registration) == ("rejected", "rejected")
    assert [r.code for r in event.reasons] == ["mismatch", "suspected_fraud"]
    assert pending.attempt().reasons == event.reasons
    assert event.identity_id == acme.identity_id


def test_a_rejection_without_a_reason_is_refused(pending: Any, say: Any, later: Any) -> None:
    """At least one coded reason."""
    assert code_of(pending.process(later(say.reject(), reasons=()))) == "reasons_missing"


def test_the_same_decision_twice_is_once(pending: Any, say: Any) -> None:
    """By the same or another reviewer: a no-op that answers with the attempt."""
    pending.process(say.approve())
    again = pending.process(say.approve(subject="rob"))
    assert again == Unchanged(answer=pending.attempt())
    assert (pending.attempt().decided_by, len(pending.axes())) == ("rita", 3)


def test_another_decision_on_a_decided_attempt_is_refused(pending: Any, say: Any) -> None:
    """Who comes second with another outcome hears `already_decided`."""
    pending.process(say.approve())
    assert code_of(pending.process(say.reject(subject="rob"))) == "already_decided"
    assert pending.registration.state == "approved"


def test_an_attempt_that_newer_details_replaced_is_superseded(pending: Any, say: Any, make: Any) -> None:
    """The reviewer hears it; the newer attempt is the one to decide."""
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    pending.process(say.assigned(other, there, at=say.zero + HOUR))
    assert code_of(pending.process(say.approve(1))) == "superseded"
    assert isinstance(pending.process(say.approve(2)), Decided)


@pytest.mark.parametrize("end", ["removed", "refused"])
def test_an_attempt_of_an_ended_did_is_withdrawn(pending: Any, say: Any, end: str) -> None:
    """Nothing is left to decide, and nothing is said any more."""
    said = len(pending.axes())
    pending.process(getattr(say, end)())
    assert pending.statuses() == ["withdrawn"]
    assert code_of(pending.process(say.approve())) == "withdrawn"
    assert (pending.registration.ended, len(pending.axes())) == (end, said)


def test_nobody_decides_what_they_submitted(pending: Any, say: Any) -> None:
    """The submitter is the actor of the assignment."""
    assert code_of(pending.process(say.approve(subject="ann"))) == "own_submission"
    assert code_of(pending.process(say.reject(subject="ann"))) == "own_submission"
    assert pending.registration.state == "pending"


def test_an_attempt_of_another_did_cannot_be_decided_through_this_one(
    pending: Any, say: Any, later: Any
) -> None:
    """The attempt named must be the DID's own."""
    command = say.approve()
    pending.store(later(pending.attempt(), did_id=command.verification_id))
    assert code_of(pending.process(command)) == "not_found"
    assert code_of(pending.process(say.approve(7))) == "not_found"


def test_a_claim_keeps_others_away_for_fifteen_minutes(pending: Any, say: Any) -> None:
    """Another reviewer can neither claim, decide nor release it until the claim runs out."""
    start = say.zero + HOUR
    pending.process(say.claim(subject="rita"), now=start)
    before = start + CLAIM_HOLDS - timedelta(microseconds=1)
    for message in (say.claim(subject="rob"), say.release(subject="rob"), say.approve(subject="rob")):
        assert code_of(pending.process(message, now=before)) == "claimed"
    pending.process(say.claim(subject="rob"), now=start + CLAIM_HOLDS)
    assert pending.attempt().claimed_by == "rob"


def test_the_one_who_claimed_decides_and_the_claim_is_gone(pending: Any, say: Any) -> None:
    """A decided attempt is nobody's."""
    pending.process(say.claim())
    pending.process(say.approve())
    assert (pending.attempt().status, pending.attempt().claimed_by) == ("approved", None)
    assert code_of(pending.process(say.claim())) == "already_decided"


def test_a_released_attempt_is_anybodys(pending: Any, say: Any) -> None:
    """Releasing twice, or what nobody claimed, changes nothing."""
    pending.process(say.claim())
    pending.process(say.release())
    assert pending.attempt().claimed_by is None
    assert isinstance(pending.process(say.release()), Unchanged)
    assert isinstance(pending.process(say.claim(subject="rob")), Decided)


def test_claims_of_nothing_are_not_found(stage: Any, say: Any) -> None:
    """An attempt that does not exist."""
    assert code_of(stage.process(say.claim())) == "not_found"
    assert code_of(stage.process(say.release())) == "not_found"


def test_what_was_rejected_can_be_submitted_again(pending: Any, say: Any, acme: Any, quay: Any) -> None:
    """The next attempt, with the same or other details, judged anew."""
    pending.process(say.reject())
    outcome = pending.process(say.resubmit(1, acme, quay))
    assert (pending.statuses(), pending.axis_topics()[-1]) == (["rejected", "pending"], "pending")
    assert isinstance(outcome, Decided)
    assert outcome.answer == pending.attempt(2)
    assert pending.attempt(2).submitted_by == "user:ann"


def test_only_the_latest_rejected_attempt_can_be_submitted_again(
    pending: Any, say: Any, acme: Any, quay: Any
) -> None:
    """Not one that waits, not one that was followed by another, not one of an ended DID."""
    assert code_of(pending.process(say.resubmit(1, acme, quay))) == "not_rejected"
    assert code_of(pending.process(say.resubmit(5, acme, quay))) == "not_found"
    pending.process(say.reject())
    pending.process(say.resubmit(1, acme, quay))
    assert code_of(pending.process(say.resubmit(1, acme, quay))) == "superseded"
    pending.process(say.reject(2))
    pending.process(say.removed())
    assert code_of(pending.process(say.resubmit(2, acme, quay))) == "did_ended"


def test_a_resubmission_with_wrong_details_is_rejected_at_once(pending: Any, say: Any, acme: Any) -> None:
    """The evaluation stands before every reviewer."""
    pending.process(say.reject())
    pending.process(say.resubmit(1, acme))
    assert pending.statuses() == ["rejected", "rejected"]
    assert [r.code for r in pending.axes()[-1].reasons] == ["address_missing"]
