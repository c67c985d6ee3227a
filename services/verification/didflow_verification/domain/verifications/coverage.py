"""An approval covers the account's other pending verifications of the same details: a job approves these too.

They are judged again, as a new submission of the same details would be. What is not covered stays pending. A claim of
another reviewer is not a decision and does not keep a verification from being approved. An approval does not cover what
its reviewer submitted. `didflow_verification.spread` says why no verification is missed.
Source: spec verification, Verifications.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decision, Known, NewJob, Refused, Unchanged
from didflow_contracts.events import VerificationApproved
from didflow_contracts.ids import derived_id
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.step import Step, open_verification
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import ApproveCovered
from didflow_verification.domain.details.document import judged_documents
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.events import registration_event
from didflow_verification.domain.registration.lapse import planned
from didflow_verification.domain.registration.revoked_details import with_revoked_approval
from didflow_verification.domain.requirements import all_rows, row_in_version, rules_of
from didflow_verification.domain.service_requests.end_user_change import with_services
from didflow_verification.domain.verifications.approval import Approval, approval_key_of, approval_of
from didflow_verification.domain.verifications.judgement import Judgement, judge_again
from didflow_verification.domain.verifications.submission import (
    Submission,
    case_of,
    details_of,
    submission_of,
)

APPROVE_COVERED: Final = "approve_covered"
"""The kind of job that approves what an approval covers."""


class OthersPending(Struct, frozen=True, kw_only=True):
    """The account of a verification has other pending ones with the same identity, address, requirement and area.

    There is no such state if it has none. `same_documents`: one of them has no document that this one lacks. `number`
    is the number of this verification.
    """

    verification_id: UUID
    number: str
    same_documents: bool


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The parameters of the job: the verification that a reviewer approved, and its number."""

    verification_id: UUID
    number: str


def job_for_covered(
    approved: Verification, approval: Approval, caller: Caller, now: datetime, known: Known
) -> tuple[NewJob, ...]:
    """Return the job of an approval, if it may cover other pending verifications.

    An approval that the same call gave to equal details before has started the job already.
    """
    others = known.get(OthersPending, approved.verification_id)
    documents = _needs_documents(approved, known)
    if others is None or (documents and not others.same_documents):
        return ()
    earlier = known.get(Approval, approval.approval_key)
    if earlier is not None and _includes(earlier, approval, documents=documents):
        return ()
    job = NewJob.of(
        caller,
        job_id=derived_id(APPROVE_COVERED, approved.verification_id),
        kind=APPROVE_COVERED,
        now=now,
        parameters=Coverage(verification_id=approved.verification_id, number=approved.number),
    )
    return (job,)


def _needs_documents(verification: Verification, known: Known) -> bool:
    """Return True if the requirement asks for documents in all its versions."""
    rows = all_rows(*rules_of(verification.country, known))
    return all(row.documents for row in rows if row.key == verification.requirement)


def _includes(earlier: Approval, approval: Approval, *, documents: bool) -> bool:
    """Return True if an approval of the same instant, and so of the same call, covers all that this one covers."""
    same = replace(
        earlier,
        verification_id=approval.verification_id,
        document_ids=approval.document_ids,
        valid_until=approval.valid_until,
    )
    return same == approval and (not documents or set(earlier.document_ids) >= set(approval.document_ids))


def approve_covered(
    registration: Registration | None, command: ApproveCovered, now: datetime, known: Known
) -> Decision:
    """Approve the pending verification of a DID if a reviewer's approval covers it. Else it stays pending.

    Refused `own_submission` if that reviewer submitted it.
    """
    approved = known.get(Verification, command.approved_id)
    pending = open_verification(registration, known) if registration else None
    if registration is None or pending is None or approved is None or approved.status != "approved":
        return Unchanged()
    judgement = _judged_again(registration, pending, approved, now, known)
    if judgement is None or judgement.outcome != "approved" or registration.assigned is None:
        return Unchanged()
    if pending.submitted_by is not None and pending.submitted_by == approved.decided_by:
        return Refused("own_submission", "The reviewer submitted these details. Somebody else has to decide.")
    automatic: dict[str, Any] = {"automatic": True, "rests_on": judgement.rests_on}
    documents = judged_documents(pending.document_ids, judgement.documents)
    decided = pending.moved_to("approved", decided_at=now, documents=documents, **automatic)
    details = replace(registration.assigned, valid_until=judgement.valid_until, **automatic)
    marked = with_revoked_approval(registration, known)
    return put_in_force(replace(marked, assigned=details), decided, now, known).decided()


def pending_submission(registration: Registration) -> Submission | None:
    """Return the details that wait for a decision as a submission of the account that holds the DID, or None."""
    details = registration.assigned if registration.open else None
    return replace(submission_of(details, None), holder=registration.account) if details else None


def _judged_again(
    registration: Registration, pending: Verification, approved: Verification, now: datetime, known: Known
) -> Judgement | None:
    """Return the judgement of a pending verification, under the version that it started under.

    None: it is about other details, or these have newer revisions, which another job submits.
    """
    submission = pending_submission(registration)
    row = row_in_version(
        *rules_of(registration.country, known), pending.requirement, pending.requirement_version
    )
    if submission is None or row is None or approval_key_of(pending) != approval_key_of(approved):
        return None
    case = case_of(registration, submission, now, known)
    if not details_of(case, submission).same_as(registration.assigned):
        return None
    approval = approval_of(approved, approved.decided_at or now)
    return judge_again(case, row, approval, partial(known.compute, evaluate))


def put_in_force(registration: Registration, decided: Verification, now: datetime, known: Known) -> Step:
    """Return the step in which the details that wait for a decision are approved."""
    details: Details | None = registration.assigned
    changes: dict[str, Any] = {"approved": details, "open": False, "reasons": (), "grace_until": None}
    rules, anywhere = rules_of(registration.country, known)
    after = planned(moved(registration, "approved", changes), rules, anywhere, now)
    event = registration_event(after, VerificationApproved, after.approved)
    return with_services(Step(registration=after, verifications=(decided,), events=(event,)), known)


def moved(
    registration: Registration, outcome: Literal["approved", "rejected"], changes: dict[str, Any]
) -> Registration:
    """Return the registration after a decision. An approved one stays approved."""
    if registration.state == "approved":
        return replace(registration, **changes)
    return registration.moved_to(outcome, **changes)
