"""End-user details are assigned to a DID, or submitted again after a rejection.

If the number needs a registration, the details are judged at once, else they are stored. Assigned details count from
their `assigned_at`. A holder that got the DID after that instant can remove them (see `registration.handover`).
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned, VerificationNotRequired
from didflow_contracts.ownership import is_from_didflow
from didflow_verification.domain.axes.registration import Details, Registration, event_refusal
from didflow_verification.domain.axes.step import Step, open_verification
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Resubmit
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

    Refused `did_ended`, with the codes of `event_refusal`, and `not_yours` for foreign details without a requirement.
    """
    if registration is None:
        return TooEarly("did.purchased")
    if registration.ended:
        return Refused("did_ended", f"The DID was {registration.ended}.")
    refused = event_refusal(registration, event)
    if refused is not None:
        return refused
    submission = assigned_submission(registration, event)
    submission = replace(submission, at=min(submission.at, now))
    if _is_outdated(registration, submission.at):
        return Unchanged()
    return _assign(registration, submission, now, known)


def _is_outdated(registration: Registration, at: datetime) -> bool:
    """Return True if details assigned at that instant are older than the last ones, or were already removed."""
    last, assigned = registration.assigned_at, registration.assigned
    if last is None or at > last:
        return False
    return at < last or assigned is None or assigned.assigned_at != last


def assigned_submission(registration: Registration, event: Event[EnduserAssigned]) -> Submission:
    """Return the submission of an event, for the account that held the DID at that time.

    Inventory knows that account. For an outside source, it is the holder as last received.
    """
    at = event.data.assigned_at or event.time
    return Submission(
        holder=event.data.account if is_from_didflow(event) else registration.holder_at(at),
        at=at,
        identity_id=event.data.identity_id,
        address_id=event.data.address_id,
        document_ids=event.data.document_ids,
        actor=event.actor,
    )


def _assign(registration: Registration, submission: Submission, now: datetime, known: Known) -> Decision:
    case = case_of(registration, submission, now, known)
    details = details_of(case, submission)
    dated = replace(registration, assigned_at=submission.at)
    if details.same_as(registration.assigned) and registration.state != "expired":
        return _assign_again(dated, details) if submission.at != registration.assigned_at else Unchanged()
    if registration.state != "not_required":
        step = submit(dated, submission, now, known, open_verification(registration, known))
    elif ownership_findings(case):
        return Refused("not_yours", "The details cannot be used for this number.", "identity_id")
    else:
        stored = replace(dated, assigned=details)
        step = Step(registration=stored, events=(registration_event(stored, VerificationNotRequired),))
    pending = next((each for each in step.verifications if each.status == "pending"), None)
    step = handed_over(step, pending)
    after = planned(step.registration, case.rules, case.anywhere, now)
    return with_services(replace(step, registration=after), known).decided()


def _assign_again(registration: Registration, details: Details) -> Decision:
    """Store the later date of equal details. They are not judged again and nothing is published."""

    def later(known: Details | None) -> Details | None:
        if known is None or not details.same_as(known):
            return known
        return replace(known, holder=details.holder, assigned_at=details.assigned_at)

    return Decided(
        state=replace(
            registration, assigned=later(registration.assigned), approved=later(registration.approved)
        )
    )


def resubmit(registration: Registration | None, command: Resubmit, now: datetime, known: Known) -> Decision:
    """Submit again after a rejection, under today's requirement. Only the account that holds the DID now may do this.

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
        return Refused("not_rejected", f"The verification is {verification.status}, not rejected.")
    latest = registration.assigned
    if latest is None or latest.verification_id != verification.verification_id:
        return Refused("superseded", "Newer details were submitted for this DID.")
    dated = replace(registration, assigned_at=now)
    submission = resubmitted_submission(command, registration.account, now)
    step = submit(dated, submission, now, known, None)
    return with_services(step, known).decided(step.verifications[-1])


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
