"""Decisions of reviewers: claim and release, approve and reject, revoke.

A verification is decided once, and never by the person who submitted it. While a claim holds, nobody else decides.
A pending verification follows its DID to another holder, so the reviewer's reach is checked on the loaded state.
Source: spec verification, Verifications.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, NewJob, Refused, Unchanged
from didflow_contracts.events import VerificationRejected
from didflow_contracts.instants import later
from didflow_verification.domain.axes.registration import Registration, revocation_lapse
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.transitions import VerificationStatus
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Approve, Claim, Reject, Release, Revoke
from didflow_verification.domain.events import registration_event
from didflow_verification.domain.registration.lapse import lapsed, planned
from didflow_verification.domain.requirements import rules_of
from didflow_verification.domain.verifications.approval import Approval, approval_key_of, approval_of
from didflow_verification.domain.verifications.coverage import job_for_covered, moved, put_in_force

CLAIM_HOLDS: Final = timedelta(minutes=15)
"""How long a claim holds. Source: spec verification, Verifications."""

REVOKE_RESTING: Final = "revoke_resting"
"""The kind of job that spreads a revocation."""

_NOT_FOUND = Refused("not_found", "No such verification in your accounts.")


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """The parameters of the job: the revoked verification, on which automatic approvals rest."""

    verification_id: UUID


def claim(verification: Verification | None, command: Claim, now: datetime) -> Decision:
    """Claim a pending verification, or renew the caller's claim. Refused `claimed` if somebody else's claim holds."""
    if verification is None or not command.caller.reaches(verification.account):
        return _NOT_FOUND
    refused = _not_pending(verification) or _claimed_by_another(verification, command.caller, now)
    if refused is not None:
        return refused
    claimed = replace(verification, claimed_by=command.caller.actor, claimed_until=later(now, CLAIM_HOLDS))
    return Decided(state=claimed, answer=claimed)


def release(verification: Verification | None, command: Release, now: datetime) -> Decision:
    """Release a claim. Without a claim nothing changes. Refused `claimed` if somebody else's claim holds."""
    if verification is None or not command.caller.reaches(verification.account):
        return _NOT_FOUND
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
        return refused or _NOT_FOUND
    decided = _decided(verification, "approved", command.caller, now)
    step = put_in_force(registration, decided, now, known)
    in_force = step.registration.approved
    approval = approval_of(decided, now, in_force.valid_until if in_force else None)
    also = (*step.changed, approval, *job_for_covered(decided, approval, command.caller, now, known))
    return Decided(state=step.registration, also=also, events=step.events, answer=decided)


def reject(registration: Registration | None, command: Reject, now: datetime, known: Known) -> Decision:
    """Reject with coded reasons. Details that were approved earlier stay in force. Refused `reasons_missing`."""
    verification = known.get(Verification, command.verification_id)
    refused = _undecidable(registration, verification, command.caller, "rejected", now)
    if refused is not None or registration is None or verification is None:
        return refused or _NOT_FOUND
    if not command.reasons:
        return Refused("reasons_missing", "Give at least one coded reason.", "reasons")
    decided = _decided(verification, "rejected", command.caller, now, reasons=command.reasons)
    after = moved(registration, "rejected", {"open": False, "reasons": command.reasons})
    event = registration_event(after, VerificationRejected, after.assigned)
    return Decided(state=after, also=(decided,), events=(event,), answer=decided)


def revoke(registration: Registration | None, command: Revoke, now: datetime, known: Known) -> Decision:
    """Revoke an approved verification. If its details are in force, they expire at once.

    A job ends the approvals that rest on it. Nothing new rests on it, because its stored approval ends now.
    Refused `not_found`, `not_approved`, `own_submission`.
    """
    verification = known.get(Verification, command.verification_id)
    if (
        registration is None
        or verification is None
        or not _is_named(registration, verification, command.caller)
    ):
        return _NOT_FOUND
    if verification.status == "revoked":
        return Unchanged(answer=verification)
    if verification.status != "approved":
        return Refused("not_approved", f"The verification is {verification.status}, not approved.")
    refused = _own_submission(verification, command.caller)
    if refused is not None:
        return refused
    revoked = _decided(verification, "revoked", command.caller, now, reasons=command.reasons)
    job = NewJob.of(
        command.caller,
        job_id=command.verification_id,
        kind=REVOKE_RESTING,
        now=now,
        parameters=Revocation(verification_id=command.verification_id),
    )
    step = _without_approval(registration, command, now, known)
    also = (revoked, job, *_ended_approval(verification, now, known))
    return Decided(state=step.registration, also=also, events=step.events, answer=revoked)


def _without_approval(registration: Registration, command: Revoke, now: datetime, known: Known) -> Step:
    """End the approval of this DID if it comes from the revoked verification."""
    approved = registration.approved
    in_force = approved is not None and approved.verification_id == command.verification_id
    if registration.ended or not in_force or registration.state != "approved":
        return Step(registration=registration)
    rules, anywhere = rules_of(registration.country, known)
    step = lapsed(registration, revocation_lapse(now), command.reasons)
    return replace(step, registration=planned(step.registration, rules, anywhere, now))


def _ended_approval(verification: Verification, now: datetime, known: Known) -> tuple[Approval, ...]:
    """Return the stored approval of the verification, ended now, so that nothing new rests on it."""
    stored = known.get(Approval, approval_key_of(verification))
    if stored is None or stored.verification_id != verification.verification_id:
        return ()
    return (replace(stored, valid_until=now),)


def _decided(
    verification: Verification, status: VerificationStatus, caller: Caller, now: datetime, **more: Any
) -> Verification:
    return verification.moved_to(status, decided_at=now, decided_by=caller.actor, **more)


def _undecidable(
    registration: Registration | None,
    verification: Verification | None,
    caller: Caller,
    outcome: VerificationStatus,
    now: datetime,
) -> Refused | Unchanged | None:
    """Return why the verification cannot get this outcome, or None."""
    if registration is None or verification is None or not _is_named(registration, verification, caller):
        return _NOT_FOUND
    if verification.status == outcome:
        return Unchanged(answer=verification)
    return (
        _not_pending(verification)
        or _own_submission(verification, caller)
        or _claimed_by_another(verification, caller, now)
    )


def _is_named(registration: Registration, verification: Verification, caller: Caller) -> bool:
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


def _own_submission(verification: Verification, caller: Caller) -> Refused | None:
    if verification.submitted_by == caller.actor:
        return Refused("own_submission", "You submitted these details. Somebody else has to decide.")
    return None


def _claimed_by_another(verification: Verification, caller: Caller, now: datetime) -> Refused | None:
    holds = verification.claimed_until is not None and now < verification.claimed_until
    if holds and verification.claimed_by != caller.actor:
        return Refused("claimed", "Another reviewer has claimed this verification.")
    return None
