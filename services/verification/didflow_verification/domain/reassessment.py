"""The reassessment of one DID after its details were changed: they are submitted again, in their newest revisions.

The decision compares the revisions that were judged with those of now. So it does not matter which change leads to it,
how many changes there were, or what was decided about the DID since: details that are up to date stay as they are.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_contracts.events import VerificationNotRequired
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.step import Step, open_verification
from didflow_verification.domain.commands import ReassessDid
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.events import registration_event
from didflow_verification.domain.service_requests.end_user_change import with_changed_addresses, with_services
from didflow_verification.domain.verifications.submission import (
    Submission,
    case_of,
    details_of,
    submission_of,
    submit,
)


def reassess(
    registration: Registration | None, command: ReassessDid, now: datetime, known: Known
) -> Decision:
    """Submit details that have newer revisions. Approved details stay in force until the new ones are approved.

    Whoever made the newest revision submits, so nobody decides what they changed. Active services at a changed
    address are processed again. Source: spec verification, Verifications.
    """
    if registration is None or registration.ended:
        return Unchanged()
    before = Step(registration=registration)
    step = before
    submission = _outdated_submission(registration, command.caller.actor, now, known)
    if submission is not None:
        step = _submitted_again(registration, submission, now, known)
    step = with_services(with_changed_addresses(step, known), known)
    return Unchanged() if step == before else step.decided()


def submissions_again(registration: Registration) -> Iterator[tuple[Submission, Details]]:
    """Yield the details that may have to be judged again: the last assigned ones, then the approved ones.

    While a verification is open, only the details that it submitted can be submitted again.
    """
    if registration.ended or registration.assigned is None:
        return
    yield submission_of(registration.assigned, None), registration.assigned
    if registration.approved is not None and not registration.open:
        yield submission_of(registration.approved, None), registration.approved


def _outdated_submission(
    registration: Registration, actor: str, now: datetime, known: Known
) -> Submission | None:
    """Return the first details whose revisions changed since they were judged, or None.

    Approved details whose newest revision was already judged with the assigned ones are not submitted once more.
    """
    for submission, judged in submissions_again(registration):
        details = details_of(case_of(registration, submission, now, known), submission)
        if not details.same_as(judged) and not details.same_as(registration.assigned):
            return replace(submission, actor=_last_changed_by(judged, known) or actor)
    return None


def _last_changed_by(judged: Details, known: Known) -> str | None:
    """Return who made the newest of the revisions that were not judged, or None if there is no such revision."""
    identity = known.get(Identity, judged.identity_id)
    address = known.get(Address, judged.address_id) if judged.address_id else None
    newer: list[Identity | Address] = []
    if identity is not None and identity.revision != judged.identity_revision:
        newer.append(identity)
    if address is not None and address.revision != judged.address_revision:
        newer.append(address)
    changes = [(each.changed_at, each.changed_by) for each in newer if each.changed_at]
    return max(changes, default=(None, None))[1]


def _submitted_again(registration: Registration, submission: Submission, now: datetime, known: Known) -> Step:
    if registration.state != "not_required":
        return submit(registration, submission, now, known, open_verification(registration, known))
    case = case_of(registration, submission, now, known)
    stored = replace(registration, assigned=details_of(case, submission))
    return Step(registration=stored, events=(registration_event(stored, VerificationNotRequired),))
