"""Decisions of reviewers, and what prevents two reviewers from deciding differently."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_verification.domain.verifications.review import CLAIM_HOLDS

HOUR = timedelta(hours=1)


def code_of(outcome: Any) -> str:
    """Return the code of a refusal."""
    assert isinstance(outcome, Refused)
    return outcome.code


def test_an_approval_puts_the_details_in_force(pending: Any, build: Any, acme: Any) -> None:
    """The verification has the reviewer and the time."""
    outcome = pending.process(build.approve())
    event = pending.axis_events[-1]
    assert (pending.axis_topics()[-1], event.registration, event.identity_id) == (
        "approved",
        "approved",
        acme.identity_id,
    )
    assert (event.automatic, event.rests_on, event.reasons) == (False, None, ())
    verification = pending.verification()
    assert (verification.status, verification.decided_by, verification.decided_at) == (
        "approved",
        "user:rita",
        build.zero + HOUR,
    )
    assert isinstance(outcome, Decided)
    assert outcome.answer == verification


def test_a_rejection_has_its_reasons(pending: Any, build: Any, acme: Any) -> None:
    """They are in the event and in the verification. The details stay the last assigned ones."""
    pending.process(build.reject(1, "mismatch", "suspected_fraud"))
    event = pending.axis_events[-1]
    assert (pending.axis_topics()[-1], event.registration) == ("rejected", "rejected")
    assert [r.code for r in event.reasons] == ["mismatch", "suspected_fraud"]
    assert [r.code for r in pending.verification().reasons] == ["mismatch", "suspected_fraud"]
    assert event.identity_id == acme.identity_id


def test_a_rejection_without_a_reason_is_refused(pending: Any, build: Any, later: Any) -> None:
    """It needs at least one coded reason."""
    assert code_of(pending.process(later(build.reject(), reasons=()))) == "reasons_missing"


def test_the_same_decision_twice_is_unchanged(pending: Any, build: Any) -> None:
    """The second reviewer gets the verification as the answer."""
    pending.process(build.approve())
    again = pending.process(build.approve(subject="rob"))
    assert again == Unchanged(answer=pending.verification())
    assert (pending.verification().decided_by, len(pending.axis_events)) == ("user:rita", 3)


def test_another_decision_on_a_decided_verification_is_refused(pending: Any, build: Any) -> None:
    """The second reviewer gets `already_decided`."""
    pending.process(build.approve())
    assert code_of(pending.process(build.reject(subject="rob"))) == "already_decided"
    assert pending.registration.state == "approved"


def test_a_verification_with_newer_details_cannot_be_decided(pending: Any, build: Any, make: Any) -> None:
    """The refusal is `superseded`. The newer verification can be decided."""
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.assigned(other, its_address, at=build.zero + HOUR))
    assert code_of(pending.process(build.approve(1))) == "superseded"
    assert isinstance(pending.process(build.approve(2)), Decided)


@pytest.mark.parametrize("action", ["claim", "release", "approve", "reject", "revoke"])
def test_a_verification_that_moved_to_another_account_is_not_found(
    pending: Any, build: Any, action: str
) -> None:
    """Its DID went from the shop to the kiosk after the reviewer of the shop had looked it up. Nothing changes."""
    shop, kiosk = "master/acme/shop", "master/acme/kiosk"
    pending.process(build.did_changed(shop, build.zero + HOUR))
    looked_up = getattr(build, action)(account=shop)
    pending.process(build.did_changed(kiosk, build.zero + 2 * HOUR, sequence=2))
    before = pending.verification()
    assert (before.account, before.status) == (kiosk, "pending")
    assert code_of(pending.process(looked_up)) == "not_found"
    assert pending.verification() == before
    assert isinstance(pending.process(build.approve(account=kiosk)), Decided)


@pytest.mark.parametrize("end", ["removed", "refused"])
def test_a_verification_of_an_ended_did_is_withdrawn(pending: Any, build: Any, end: str) -> None:
    """It cannot be decided, and nothing more is published."""
    published = len(pending.axis_events)
    pending.process(getattr(build, end)())
    assert pending.statuses() == ["withdrawn"]
    assert code_of(pending.process(build.approve())) == "withdrawn"
    assert (pending.registration.ended, len(pending.axis_events)) == (end, published)


def test_nobody_decides_what_they_submitted(pending: Any, build: Any) -> None:
    """The actor of the assignment is the submitter."""
    assert code_of(pending.process(build.approve(subject="ann"))) == "own_submission"
    assert code_of(pending.process(build.reject(subject="ann"))) == "own_submission"
    assert pending.registration.state == "pending"


def test_a_verification_of_another_did_is_not_found(pending: Any, build: Any, later: Any) -> None:
    """The verification must belong to the DID of the command."""
    command = build.approve()
    pending.store(later(pending.verification(), did_id=command.verification_id))
    assert code_of(pending.process(command)) == "not_found"
    assert code_of(pending.process(build.approve(7))) == "not_found"


def test_a_claim_holds_for_fifteen_minutes(pending: Any, build: Any) -> None:
    """Until then no other reviewer can claim, decide or release."""
    start = build.zero + HOUR
    pending.process(build.claim(subject="rita"), now=start)
    before = start + CLAIM_HOLDS - timedelta(microseconds=1)
    for message in (build.claim(subject="rob"), build.release(subject="rob"), build.approve(subject="rob")):
        assert code_of(pending.process(message, now=before)) == "claimed"
    pending.process(build.claim(subject="rob"), now=start + CLAIM_HOLDS)
    assert pending.verification().claimed_by == "user:rob"


def test_a_decision_ends_the_claim(pending: Any, build: Any) -> None:
    """A decided verification has no claim."""
    pending.process(build.claim())
    pending.process(build.approve())
    assert (pending.verification().status, pending.verification().claimed_by) == ("approved", None)
    assert code_of(pending.process(build.claim())) == "already_decided"


def test_a_released_verification_can_be_claimed_by_anybody(pending: Any, build: Any) -> None:
    """A second release, or a release without a claim, changes nothing."""
    pending.process(build.claim())
    pending.process(build.release())
    assert pending.verification().claimed_by is None
    assert isinstance(pending.process(build.release()), Unchanged)
    assert isinstance(pending.process(build.claim(subject="rob")), Decided)


def test_an_unknown_verification_cannot_be_claimed(stage: Any, build: Any) -> None:
    """Claim and release are refused `not_found`."""
    assert code_of(stage.process(build.claim())) == "not_found"
    assert code_of(stage.process(build.release())) == "not_found"


def test_rejected_details_can_be_submitted_again(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """They become the next verification."""
    pending.process(build.reject())
    outcome = pending.process(build.resubmit(1, acme, quay))
    assert (pending.statuses(), pending.axis_topics()[-1]) == (["rejected", "pending"], "pending")
    assert isinstance(outcome, Decided)
    assert outcome.answer == pending.verification(2)
    assert pending.verification(2).submitted_by == "user:ann"


def test_only_the_latest_rejected_verification_can_be_submitted_again(
    pending: Any, build: Any, acme: Any, quay: Any
) -> None:
    """A pending one, an earlier one and one of an ended DID cannot."""
    assert code_of(pending.process(build.resubmit(1, acme, quay))) == "not_rejected"
    assert code_of(pending.process(build.resubmit(5, acme, quay))) == "not_found"
    pending.process(build.reject())
    pending.process(build.resubmit(1, acme, quay))
    assert code_of(pending.process(build.resubmit(1, acme, quay))) == "superseded"
    pending.process(build.reject(2))
    pending.process(build.removed())
    assert code_of(pending.process(build.resubmit(2, acme, quay))) == "did_ended"


def test_only_the_present_holder_submits_again(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """The shop had the DID when the details were rejected. Now Acme has it, and the identity serves both."""
    pending.process(build.reject())
    of_shop = replace(
        build.resubmit(1, acme, quay), caller=build.caller("ann", "reseller", "master/acme/shop")
    )
    assert code_of(pending.process(of_shop)) == "not_found"
    assert pending.statuses() == ["rejected"]


def test_a_resubmission_with_wrong_details_is_rejected_at_once(pending: Any, build: Any, acme: Any) -> None:
    """The evaluation comes before every reviewer."""
    pending.process(build.reject())
    pending.process(build.resubmit(1, acme))
    assert pending.statuses() == ["rejected", "rejected"]
    assert [r.code for r in pending.axis_events[-1].reasons] == ["address_missing"]


def test_actors_of_a_verification_are_written_alike(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """`submitted_by`, `claimed_by`, `decided_by` and the actor of an event all have the form `user:<subject>`."""
    pending.process(build.claim())
    claimed = pending.verification()
    pending.process(build.reject())
    decided = pending.verification()
    pending.process(build.resubmit(1, acme, quay))
    actors = (
        decided.submitted_by,
        claimed.claimed_by,
        decided.decided_by,
        pending.verification(2).submitted_by,
    )
    assert actors == ("user:ann", "user:rita", "user:rita", "user:ann")
    assert pending.published("verification.rejected")[-1].actor == "user:rita"
