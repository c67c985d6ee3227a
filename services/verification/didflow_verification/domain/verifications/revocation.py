"""The revocation of an approval, with the review that it rests on and with everything that rests on that review.

One decision revokes the approval and the review, and ends the stored approval of the review under its lock. So nothing
new rests on it from this instant on. The review is of another DID, and a DID is changed only by decisions about this
DID. So a job ends the approvals of the other DIDs: of the DID that was reviewed, and of those that rest on it.
`didflow_verification.spread` says why none is missed.
Source: spec verification, Verifications.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, NewJob, Refused, Unchanged
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Revoke
from didflow_verification.domain.registration.revoked_details import revoked_verification, without_approval
from didflow_verification.domain.verifications.approval import Approval, approval_key_of, approval_of
from didflow_verification.domain.verifications.review import (
    NOT_FOUND,
    is_named,
    own_submission,
)

REVOKE_RESTING: Final = "revoke_resting"
"""The kind of job that spreads a revocation."""


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """The parameters of the job: the revoked review, on which automatic approvals rest."""

    verification_id: UUID


def revoke(registration: Registration | None, command: Revoke, now: datetime, known: Known) -> Decision:
    """Revoke an approved verification, and the review that it rests on unless the command names only this one.

    If its details are in force, they expire at once. Refused `not_found`, `not_automatic`, `not_approved`,
    `own_submission`, and `not_yours` if the review is not within the reviewer's reach.
    """
    verification = known.get(Verification, command.verification_id)
    if (
        registration is None
        or verification is None
        or not is_named(registration, verification, command.caller)
    ):
        return NOT_FOUND
    review = _approved_review(verification, command, known)
    refused = _refusal(verification, review, command)
    if refused is not None:
        return refused
    to_revoke = [each for each in (verification, review) if each is not None and each.status == "approved"]
    if not to_revoke:
        return Unchanged(answer=verification)
    revoked = {
        each.verification_id: revoked_verification(each, command.caller, now, reasons=command.reasons)
        for each in to_revoke
    }
    answer = revoked.get(verification.verification_id, verification)
    step = without_approval(registration, answer, now, known, command.reasons)
    approvals = {each.approval_key: each for each in _ended_approvals(to_revoke, now, known)}
    jobs = (_job(each, command, now) for each in to_revoke if not each.automatic)
    also = (*revoked.values(), *step.changed, *approvals.values(), *jobs)
    return Decided(state=step.registration, also=also, events=step.events, answer=answer)


def named_review(verification: Verification, command: Revoke) -> UUID | None:
    """Return the id of the review that the command also revokes, or None."""
    return None if command.only_this else verification.rests_on


def _approved_review(verification: Verification, command: Revoke, known: Known) -> Verification | None:
    key = named_review(verification, command)
    review = known.get(Verification, key) if key else None
    return review if review is not None and review.status == "approved" else None


def _refusal(verification: Verification, review: Verification | None, command: Revoke) -> Refused | None:
    if command.only_this and not verification.automatic:
        return Refused(
            "not_automatic", "A person approved it, so it rests on no other approval.", "only_this"
        )
    if verification.status not in {"approved", "revoked"}:
        return Refused("not_approved", f"The verification is {verification.status}, not approved.")
    if review is not None and not command.caller.reaches(review.account):
        return Refused(
            "not_yours",
            "The approval that it rests on belongs to an account above yours. Revoke only this one.",
            "only_this",
        )
    submitted = [verification] if verification.status == "approved" else []
    by_caller = (own_submission(each, command.caller) for each in (*submitted, review) if each is not None)
    return next((refused for refused in by_caller if refused is not None), None)


def _ended_approvals(revoked: list[Verification], now: datetime, known: Known) -> Iterator[Approval]:
    """Yield the stored approvals of the verifications, ended now, so that nothing new rests on them.

    Where no review of the same details counts, the details of an approval that rests on nothing are noted as revoked,
    so that a row without review does not approve them for another number either.
    """
    for verification in revoked:
        stored = known.get(Approval, approval_key_of(verification))
        if stored is not None and stored.verification_id == verification.verification_id:
            yield replace(stored, valid_until=now, revoked=True)
        elif verification.automatic and verification.rests_on is None and not _counts(stored, now):
            yield replace(approval_of(verification, now, now), revoked=True)


def _counts(stored: Approval | None, now: datetime) -> bool:
    return stored is not None and (stored.valid_until is None or now < stored.valid_until)


def _job(review: Verification, command: Revoke, now: datetime) -> NewJob:
    """Return the job of a revoked review. A review is revoked once, so it has one job."""
    return NewJob.of(
        command.caller,
        job_id=review.verification_id,
        kind=REVOKE_RESTING,
        now=now,
        parameters=Revocation(verification_id=review.verification_id),
    )
