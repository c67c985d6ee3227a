"""A reviewer takes an approval back: it was had by fraud. All that rests on it ends with it.

Source: spec verification, Verifications; spec lifecycle, Registration.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_verification.domain.axes.lapse import revocation
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.axes.verification import moved as attempt_moved
from didflow_verification.domain.catalogue.rules import rules_of
from didflow_verification.domain.registration.lapsing import lapsed, planned
from didflow_verification.domain.verifications.approvals import Approval, approval_of
from didflow_verification.domain.verifications.commands import Revoke
from didflow_verification.domain.verifications.review import own_submission


class Revocation(Struct, frozen=True, kw_only=True):
    """That a verification was revoked, when and by whom. Writing it makes every DID that rests on it due."""

    verification_id: UUID
    revoked_at: datetime
    revoked_by: str


def approval_key_of(attempt: Verification) -> str:
    """Return where the review of an attempt would be kept for others to rest on."""
    return approval_of(attempt, attempt.submitted_at).approval_key


def revoke(registration: Registration | None, command: Revoke, now: datetime, known: Known) -> Decision:
    """Revoke an approved attempt; its details, where they are in force, expire at once.

    Refused `not_found`; `not_approved`; `own_submission`.
    """
    attempt = known.get(Verification, command.verification_id)
    if registration is None or attempt is None or attempt.did_id != registration.did_id:
        return Refused("not_found", "no such verification")
    if attempt.status == "revoked":
        return Unchanged(answer=attempt)
    if attempt.status != "approved":
        return Refused("not_approved", f"this attempt is {attempt.status}")
    refused = own_submission(attempt, command.caller)
    if refused is not None:
        return refused
    gone = attempt_moved(
        attempt, "revoked", decided_at=now, decided_by=command.caller.subject, reasons=command.reasons
    )
    noted = Revocation(
        verification_id=attempt.verification_id, revoked_at=now, revoked_by=f"user:{command.caller.subject}"
    )
    step = _ended(registration, command, now, known)
    others = (gone, noted, *_no_more_rest(attempt, now, known))
    return Decided(state=step.registration, also=others, events=step.events, answer=gone)


def _ended(registration: Registration, command: Revoke, now: datetime, known: Known) -> Step:
    """The DID's own registration, where these details are the ones in force."""
    approved = registration.approved
    in_force = approved is not None and approved.verification_id == command.verification_id
    if registration.ended or not in_force or registration.state != "approved":
        return Step(registration=registration)
    rules, anywhere = rules_of(registration.country, known)
    step = lapsed(registration, revocation(now), command.reasons)
    return replace(step, registration=planned(step.registration, rules, anywhere, now))


def _no_more_rest(attempt: Verification, now: datetime, known: Known) -> tuple[Approval, ...]:
    kept = known.get(Approval, approval_key_of(attempt))
    if kept is None or kept.verification_id != attempt.verification_id:
        return ()
    return (replace(kept, valid_until=now),)
