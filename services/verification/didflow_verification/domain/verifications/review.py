"""Decisions of reviewers: claim and release, approve and reject. Revocations are in `revocation`.

A verification is decided once, and never by the person who submitted it. While a claim holds, nobody else decides.
A pending verification follows its DID to another holder, so the reviewer's reach is checked on the loaded state.
Source: spec verification, Verifications.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.events import VerificationRejected
from didflow_contracts.instants import later
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.transitions import VerificationStatus
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Approve, Claim, Reject, Release
from didflow_verification.domain.events import registration_event
from didflow_verification.domain.published_reasons import published_reasons
from didflow_verification.domain.registration.revoked_details import judged_by_person, with_revoked_approval
from didflow_verification.domain.verifications.approval import approval_of
from didflow_verification.domain.verifications.coverage import job_for_covered, moved, put_in_force

CLAIM_HOLDS: Final = timedelta(minutes=15)
"""How long a claim holds. Source: spec verification, Verifications."""

NOT_FOUND: Final = Refused("not_found", "No such verification in your accounts.")


def claim(verification: Verification | None, command: Claim, now: datetime) -> Decision:
    """Claim a pending verification, or renew the caller's claim. Refused `claimed` if somebody else's claim holds."""
    if verification is None or not command.caller.reaches(verification.account):
        return NOT_FOUND
    refused = _not_pending(verification) or _claimed_by_another(verification, command.caller, now)
    if refused is not None:
        return refused
    claimed = replace(verification, claimed_by=command.caller.actor, claimed_until=later(now, CLAIM_HOLDS))
    return Decided(state=claimed, answer=claimed)


def release(verification: Verification | None, command: Release, now: datetime) -> Decision:
    """Release a claim. Without a claim nothing changes. Refused `claimed` if somebody else's claim holds."""
    if verification is None or not command.caller.reaches(verification.account):
        return NOT_FOUND
    refused = _claimed_by_another(verification, command.caller, now)
    if refused is not None:
        return refused
    if verification.claimed_by is None:
        return Unchanged(answer=verification)
    released = replace(verification, claimed_by=None, claimed_until=None)
    return Decided(state=released, answer=released)


def approve(registration: Registration | None, command: Approve, now: datetime, known: Known) -> Decision:
    """Approve. The details of the verification are in force from now on.

    A job approves the account's other pending verifications that this approval covers, if there are any.
    """
    verification = known.get(Verification, command.verification_id)
    refused = _undecidable(registration, verification, command.caller, "approved", now)
    if refused is not None or registration is None or verification is None:
        return refused or NOT_FOUND
    decided = with_decision(verification, "approved", command.caller, now)
    marked = with_revoked_approval(registration, known)
    step = put_in_force(judged_by_person(marked, decided), decided, now, known)
    in_force = step.registration.approved
    approval = approval_of(decided, now, in_force.valid_until if in_force else None)
    also = (*step.changed, approval, *job_for_covered(decided, approval, command.caller, now, known))
    return Decided(state=step.registration, also=also, events=step.events, answer=decided)


def reject(registration: Registration | None, command: Reject, now: datetime, known: Known) -> Decision:
    """Reject with coded reasons. Details that were approved earlier stay in force. Refused `reasons_missing`."""
    verification = known.get(Verification, command.verification_id)
    refused = _undecidable(registration, verification, command.caller, "rejected", now)
    if refused is not None or registration is None or verification is None:
        return refused or NOT_FOUND
    if not command.reasons:
        return Refused("reasons_missing", "Give at least one coded reason.", "reasons")
    decided = with_decision(verification, "rejected", command.caller, now, reasons=command.reasons)
    after = moved(registration, "rejected", {"open": False, "reasons": published_reasons(command.reasons)})
    event = registration_event(after, VerificationRejected, after.assigned)
    return Decided(state=after, also=(decided,), events=(event,), answer=decided)


def with_decision(
    verification: Verification, status: VerificationStatus, caller: Caller, now: datetime, **more: Any
) -> Verification:
    """Return the verification as this caller decided it now."""
    return verification.moved_to(status, decided_at=now, decided_by=caller.actor, **more)


def _undecidable(
    registration: Registration | None,
    verification: Verification | None,
    caller: Caller,
    outcome: VerificationStatus,
    now: datetime,
) -> Refused | Unchanged | None:
    """Return why the verification cannot get this outcome, or None."""
    if registration is None or verification is None or not is_named(registration, verification, caller):
        return NOT_FOUND
    if verification.status == outcome:
        return Unchanged(answer=verification)
    return (
        _not_pending(verification)
        or own_submission(verification, caller)
        or _claimed_by_another(verification, caller, now)
    )


def is_named(registration: Registration, verification: Verification, caller: Caller) -> bool:
    """Return True if the verification is one of this DID and within the reviewer's reach."""
    return verification.did_id == registration.did_id and caller.reaches(verification.account)


def _not_pending(verification: Verification) -> Refused | None:
    if verification.status == "pending":
        return None
    if verification.status == "superseded":
        return Refused("superseded", "Newer details were submitted for this DID.")
    if verification.status == "withdrawn":
        return Refused("withdrawn", "The number was handed over or removed before a decision.")
    return Refused("already_decided", f"The verification is already {verification.status}.")


def own_submission(verification: Verification, caller: Caller) -> Refused | None:
    """Return the refusal of a decision by whoever submitted the details, or None."""
    if verification.submitted_by == caller.actor:
        return Refused("own_submission", "You submitted these details. Somebody else has to decide.")
    return None


def _claimed_by_another(verification: Verification, caller: Caller, now: datetime) -> Refused | None:
    holds = verification.claimed_until is not None and now < verification.claimed_until
    if holds and verification.claimed_by != caller.actor:
        return Refused("claimed", "Another reviewer has claimed this verification.")
    return None
