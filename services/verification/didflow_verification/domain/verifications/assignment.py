"""End-user details are assigned to a DID, or submitted again after a rejection.

If the number needs a registration, the details are judged at once, else they are stored. Assigned details count from
their `assigned_at`. A holder that got the DID after that instant can remove them (see `registration.handover`).
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_contracts.assignments import (
    Assignment,
    AssignmentAccepted,
    AssignmentRefused,
    judge_assignment,
)
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned, VerificationNotRequired
from didflow_contracts.events.registration import Reason
from didflow_contracts.ownership import is_from_didflow
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.step import Step, open_verification
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Resubmit
from didflow_verification.domain.evaluation.findings import reasons
from didflow_verification.domain.events import registration_event
from didflow_verification.domain.registration.handover import handed_over
from didflow_verification.domain.registration.lapse import planned
from didflow_verification.domain.service_requests.end_user_change import with_services
from didflow_verification.domain.verifications.judgement import ownership_findings
from didflow_verification.domain.verifications.submission import Submission, case_of, details_of, submit

NOT_FOUND: Final = Refused("not_found", "No such verification in your accounts.")


def on_assigned(
    registration: Registration | None, event: Event[EnduserAssigned], now: datetime, known: Known
) -> Decision:
    """Judge the details, or store them if no registration is required. Source: spec lifecycle, Registration.

    Refused with the codes of `judge_assignment`, and `not_yours` for foreign details without a requirement.
    """
    if registration is None:
        return TooEarly("did.purchased")
    judged = judged_assignment(registration, event)
    if isinstance(judged, AssignmentRefused):
        return Refused(*judged)
    return _assign(registration, judged, assigned_submission(judged, event), now, known)


def judged_assignment(
    registration: Registration, event: Event[EnduserAssigned]
) -> AssignmentAccepted | AssignmentRefused:
    """Return whether the event counts for this DID. Inventory judges by the same rule."""
    return judge_assignment(
        event,
        number=registration.number,
        ended=registration.ended is not None,
        holders=registration.holders,
        last=registration.last_assignment,
    )


def assigned_submission(accepted: AssignmentAccepted, event: Event[EnduserAssigned]) -> Submission:
    """Return the submission of an assignment that counts, for the account that it names the details for."""
    assignment = accepted.assignment
    return Submission(
        holder=accepted.holder,
        named=None if is_from_didflow(event) else event.data.account,
        at=assignment.assigned_at,
        identity_id=assignment.identity_id,
        address_id=assignment.address_id,
        document_ids=assignment.document_ids,
        actor=event.actor,
    )


def _assign(
    registration: Registration,
    accepted: AssignmentAccepted,
    submission: Submission,
    now: datetime,
    known: Known,
) -> Decision:
    last, assignment = registration.last_assignment, accepted.assignment
    dated = replace(registration, last_assignment=assignment)
    if assignment.repeats(last):
        return Unchanged() if assignment == last else Decided(state=dated)
    case = case_of(registration, submission, now, known)
    details = details_of(case, submission)
    if details.same_as(registration.assigned) and not _is_due_again(registration):
        return _assign_again(dated, details)
    if registration.state != "not_required":
        step = submit(dated, submission, now, known, open_verification(registration, known))
    else:
        foreign = reasons(ownership_findings(case))
        if foreign:
            return _refused(dated, submission, foreign)
        stored = replace(dated, assigned=details, reasons=())
        step = Step(registration=stored, events=(registration_event(stored, VerificationNotRequired),))
    pending = next((each for each in step.verifications if each.status == "pending"), None)
    step = handed_over(step, pending)
    after = planned(step.registration, case.rules, case.anywhere, now)
    return with_services(replace(step, registration=after), known).decided()


def _is_due_again(registration: Registration) -> bool:
    """Return True if equal details are judged again: they expired, or others were refused since."""
    return registration.state == "expired" or (
        registration.state == "not_required" and bool(registration.reasons)
    )


def _refused(dated: Registration, submission: Submission, foreign: tuple[Reason, ...]) -> Decision:
    """Refuse foreign details of a number without a requirement. The event of the axis shows why.

    The former details stay in force. Nothing is shown to an account that got the DID since.
    """
    refused = Refused("not_yours", foreign[0].message, foreign[0].field)
    since = dated.holders[-1].since
    if since is not None and since > submission.at:
        return Decided(state=dated, refused=refused)
    shown = replace(dated, reasons=foreign)
    event = registration_event(shown, VerificationNotRequired)
    return Decided(state=shown, events=(event,), refused=refused)


def _assign_again(registration: Registration, details: Details) -> Decision:
    """Store the later date of equal details. They are not judged again and nothing is published."""

    def later(known: Details | None) -> Details | None:
        if known is None or not details.same_as(known):
            return known
        return replace(known, holder=details.holder, named=details.named, assigned_at=details.assigned_at)

    return Decided(
        state=replace(
            registration, assigned=later(registration.assigned), approved=later(registration.approved)
        )
    )


def resubmit(registration: Registration | None, command: Resubmit, now: datetime, known: Known) -> Decision:
    """Submit again after a rejection or the end of an approval, under today's requirement.

    Only the account that holds the DID now may do this.
    Refused `not_found`, `did_ended`, `not_rejected`, and `superseded` if newer details were submitted.
    """
    verification = known.get(Verification, command.verification_id)
    if registration is None or verification is None or verification.did_id != registration.did_id:
        return NOT_FOUND
    if not command.caller.reaches(registration.account):
        return NOT_FOUND
    if registration.ended:
        return Refused("did_ended", f"The DID was {registration.ended}.")
    if verification.status != "rejected" and registration.state != "expired":
        return Refused("not_rejected", f"The verification is {verification.status}, not rejected or expired.")
    latest = registration.assigned
    if latest is None or latest.verification_id != verification.verification_id:
        return Refused("superseded", "Newer details were submitted for this DID.")
    submission = resubmitted_submission(command, registration.account, now)
    dated = replace(registration, last_assignment=_resubmitted(submission))
    step = submit(dated, submission, now, known, None)
    return with_services(step, known).decided(step.verifications[-1])


def _resubmitted(submission: Submission) -> Assignment:
    """Return the submission as the last assignment, so that an older one that arrives later is outdated."""
    return Assignment(
        identity_id=submission.identity_id,
        address_id=submission.address_id,
        document_ids=submission.document_ids,
        assigned_at=submission.at,
        time=submission.at,
    )


def resubmitted_submission(command: Resubmit, holder: str, at: datetime) -> Submission:
    """Return the submission of the command, for the account that holds the DID."""
    return Submission(
        holder=holder,
        at=at,
        identity_id=command.identity_id,
        address_id=command.address_id,
        document_ids=command.document_ids,
        actor=command.caller.actor,
    )
