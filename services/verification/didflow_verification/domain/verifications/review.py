"""What a reviewer decides: an open attempt is approved or rejected, once, by somebody who did not submit it."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.events import VerificationApproved, VerificationRejected
from didflow_verification.domain.axes.registration import Registration, moved, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Status, Verification
from didflow_verification.domain.axes.verification import moved as attempt_moved
from didflow_verification.domain.catalogue.rules import rules_of
from didflow_verification.domain.registration.lapsing import planned
from didflow_verification.domain.services.serving import served
from didflow_verification.domain.verifications.approvals import approval_of
from didflow_verification.domain.verifications.commands import Approve, Reject


def approve(registration: Registration | None, command: Approve, now: datetime, known: Known) -> Decision:
    """Approve: the attempt's details are in force from now on."""
    attempt = known.get(Verification, command.verification_id)
    refused = _undecidable(registration, attempt, command.caller, "approved", now)
    if refused is not None or registration is None or attempt is None:
        return refused or Refused("not_found")
    decided = _by(attempt, "approved", command.caller, now)
    changes: dict[str, Any] = {
        "approved": registration.assigned,
        "open": False,
        "reasons": (),
        "grace_until": None,
    }
    rules, anywhere = rules_of(registration.country, known)
    after = planned(_on(registration, "approved", changes), rules, anywhere, now)
    until = after.approved.valid_until if after.approved else None
    event = said(after, VerificationApproved, after.approved)
    step = served(Step(registration=after, attempts=(decided,), events=(event,)), known)
    also = (*step.changed, approval_of(decided, now, until))
    return Decided(state=step.registration, also=also, events=step.events, answer=decided)


def reject(registration: Registration | None, command: Reject, now: datetime, known: Known) -> Decision:
    """Reject for coded reasons; details approved earlier stay in force. Refused `reasons_missing` without any."""
    attempt = known.get(Verification, command.verification_id)
    refused = _undecidable(registration, attempt, command.caller, "rejected", now)
    if refused is not None or registration is None or attempt is None:
        return refused or Refused("not_found")
    if not command.reasons:
        return Refused("reasons_missing", "a rejection needs at least one coded reason", "reasons")
    decided = _by(attempt, "rejected", command.caller, now, reasons=command.reasons)
    after = _on(registration, "rejected", {"open": False, "reasons": command.reasons})
    event = said(after, VerificationRejected, after.assigned)
    return Decided(state=after, also=(decided,), events=(event,), answer=decided)


def _on(registration: Registration, outcome: Any, changes: dict[str, Any]) -> Registration:
    if registration.state == "approved":
        return replace(registration, **changes)
    return moved(registration, outcome, **changes)


def _by(attempt: Verification, status: Status, caller: Caller, now: datetime, **more: Any) -> Verification:
    return attempt_moved(attempt, status, decided_at=now, decided_by=caller.subject, **more)


def _undecidable(
    registration: Registration | None,
    attempt: Verification | None,
    caller: Caller,
    wanted: Status,
    now: datetime,
) -> Refused | Unchanged | None:
    """Say why an attempt cannot be decided so, or None. Source: spec verification, Verifications."""
    if registration is None or attempt is None or attempt.did_id != registration.did_id:
        return Refused("not_found", "no such verification")
    if attempt.status == wanted:
        return Unchanged(answer=attempt)
    closed = closed_code(attempt)
    if closed is not None:
        return closed
    return own_submission(attempt, caller) or claimed_by_another(attempt, caller, now)


def closed_code(attempt: Verification) -> Refused | None:
    """Return the refusal of everything that needs an open attempt, or None while it is open."""
    if attempt.status == "pending":
        return None
    if attempt.status == "superseded":
        return Refused("superseded", "newer details took the place of this attempt")
    if attempt.status == "withdrawn":
        return Refused("withdrawn", "the number was handed on or removed before this was decided")
    return Refused("already_decided", f"this attempt was {attempt.status}")


def own_submission(attempt: Verification, caller: Caller) -> Refused | None:
    """Return the refusal of whoever submitted the details, or None for everybody else."""
    if attempt.submitted_by == f"user:{caller.subject}":
        return Refused("own_submission", "somebody else has to decide what you submitted")
    return None


def claimed_by_another(attempt: Verification, caller: Caller, now: datetime) -> Refused | None:
    """Return the refusal while somebody else's claim holds."""
    holds = attempt.claimed_until is not None and now < attempt.claimed_until
    if holds and attempt.claimed_by != caller.subject:
        return Refused("claimed", "another reviewer is looking at this attempt")
    return None
