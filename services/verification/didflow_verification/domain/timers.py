"""Decisions on due timers: a registration's own timer, a recheck, and a reassessment.

A catalogue change, a revocation or changed details can affect thousands of DIDs. The statement that records the change
writes one `Recheck` or `Reassessment` for each live DID. Their timers then decide DID by DID, in small transactions.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known
from didflow_contracts.events import VerificationExpiring, VerificationNotRequired
from didflow_verification.domain.axes.registration import Lapse, Registration, revocation_lapse
from didflow_verification.domain.axes.step import Step, open_verification
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.events import EVENT_OF, registration_event
from didflow_verification.domain.registration.lapse import is_outdated, lapsed, planned
from didflow_verification.domain.requirements import (
    Requirement,
    midnight,
    row_for,
    rows_in_force,
    rules_of,
    utc_day,
)
from didflow_verification.domain.service_requests.end_user_change import with_changed_addresses, with_services
from didflow_verification.domain.verifications.submission import (
    Submission,
    case_of,
    details_of,
    submission_of,
    submit,
)


class Recheck(Struct, frozen=True, kw_only=True):
    """The timer of a DID whose catalogue changed, or whose review was revoked (`revoked`).

    `due_at` is None after the recheck.
    """

    did_id: UUID
    number: str
    due_at: datetime | None
    revoked: UUID | None


class Reassessment(Struct, frozen=True, kw_only=True):
    """The timer of a DID whose details were changed by `changed_by`. `due_at` is None after the reassessment.

    `address_ids` are the addresses that changed.
    """

    did_id: UUID
    number: str
    due_at: datetime | None
    changed_by: str
    address_ids: tuple[UUID, ...] = ()


def on_registration_due(registration: Registration, at: datetime, known: Known) -> Decision:
    """Warn of an end, end an approval, or apply that the number begins or stops to require a registration.

    `at` is the planned instant, however late the timer runs. The catalogue of now decides; if nothing is due under it,
    only the plan is renewed.
    """
    rules, anywhere = rules_of(registration.country, known)
    current = planned(registration, rules, anywhere, at)
    if current.due_at is None or current.due_at > at:
        return Step(registration=current).decided()
    if current.lapse is not None:
        return _warned_or_lapsed(current, current.lapse, at).decided()
    rows = rows_in_force(rules, anywhere, current.number_type, utc_day(at))
    if not is_outdated(current, rows):
        return Step(registration=replace(current, due_at=None)).decided()
    step = _with_new_requirement(current, rows, at, known)
    step = replace(step, registration=planned(step.registration, rules, anywhere, at))
    return with_services(step, known).decided()


def stored_submission(registration: Registration) -> Submission | None:
    """Return the details of a DID without a requirement. They are judged when a requirement begins."""
    details = registration.assigned
    if details is None or registration.state != "not_required":
        return None
    return submission_of(details, None)


def _warned_or_lapsed(registration: Registration, lapse: Lapse, at: datetime) -> Step:
    if lapse.warned:
        return lapsed(registration, lapse)
    ends = max(lapse.at, at)
    warned = replace(registration, lapse=replace(lapse, warned=True), due_at=ends)
    event = registration_event(
        warned, VerificationExpiring, warned.approved, expires_at=ends, reason=lapse.reason
    )
    return Step(registration=warned, events=(event,))


def _with_new_requirement(
    registration: Registration, rows: tuple[Requirement, ...], at: datetime, known: Known
) -> Step:
    """Begin a requirement, with time to comply, or end it. Details that were stored are judged at once."""
    shown = row_for(rows, registration.end_user_type) or rows[0]
    submission = stored_submission(registration)
    begins = registration.state == "not_required"
    grace = max((row.grace_until for row in rows if row.grace_until), default=None)
    after = registration.moved_to(
        "awaiting" if begins else "not_required",
        requirement=shown.key,
        requirement_version=shown.version,
        grace_until=midnight(grace) if begins and grace else None,
        reasons=(),
        assigned=None,
    )
    step = Step(registration=after, events=(registration_event(after, EVENT_OF[after.state]),))
    if not begins or submission is None:
        return step
    judged = submit(after, submission, at, known, None)
    return step.then(judged.registration, *judged.events, verifications=judged.verifications)


def on_recheck_due(recheck: Recheck, at: datetime, known: Known) -> Decision:
    """End an approval that rests on a revoked review, and plan again with the catalogue of now."""
    done = replace(recheck, due_at=None, revoked=None)
    registration = known.get(Registration, recheck.did_id)
    if registration is None or registration.ended:
        return Decided(state=done)
    step = _without_revoked(registration, recheck.revoked, at, known)
    rules, anywhere = rules_of(registration.country, known)
    after = planned(step.registration, rules, anywhere, at)
    changed = () if after == registration else (after,)
    return Decided(state=done, also=(*changed, *step.verifications), events=step.events)


def resting_verification_id(registration: Registration | None, revoked: UUID | None) -> UUID | None:
    """Return the approved verification that rests on a revoked review, or None."""
    approved = registration.approved if registration and not registration.ended else None
    if approved is None or revoked is None or approved.rests_on != revoked:
        return None
    return approved.verification_id


def _without_revoked(registration: Registration, revoked: UUID | None, at: datetime, known: Known) -> Step:
    resting = resting_verification_id(registration, revoked)
    verification = known.get(Verification, resting) if resting else None
    if verification is None:
        return Step(registration=registration)
    step = lapsed(registration, revocation_lapse(at))
    ended = (verification.moved_to("revoked"),) if verification.status == "approved" else ()
    return step.then(step.registration, verifications=ended)


def on_reassessment_due(timer: Reassessment, at: datetime, known: Known) -> Decision:
    """Submit details that have newer revisions. Approved details stay in force until the new ones are approved.

    Source: spec verification, Verifications.
    """
    done = replace(timer, due_at=None, address_ids=())
    registration = known.get(Registration, timer.did_id)
    if registration is None or registration.ended:
        return Decided(state=done)
    submission = _outdated_submission(registration, timer.changed_by, at, known)
    step = Step(registration=registration)
    if submission is not None:
        step = _submitted_again(registration, submission, at, known)
    step = with_services(with_changed_addresses(step, timer.address_ids, known), known)
    if step == Step(registration=registration):
        return Decided(state=done)
    return Decided(state=done, also=(step.registration, *step.changed), events=step.events)


def submissions_again(registration: Registration, actor: str) -> Iterator[Submission]:
    """Yield the details that may have to be judged again: the last assigned ones, then the approved ones.

    While a verification is open, only the details that it submitted can be submitted again.
    """
    if registration.ended or registration.assigned is None:
        return
    yield submission_of(registration.assigned, actor)
    if registration.approved is not None and not registration.open:
        yield submission_of(registration.approved, actor)


def _outdated_submission(
    registration: Registration, actor: str, at: datetime, known: Known
) -> Submission | None:
    """Return the first details whose revisions changed since they were judged, or None."""
    judged = (registration.assigned, registration.approved)
    for submission, details in zip(submissions_again(registration, actor), judged, strict=False):
        if not details_of(case_of(registration, submission, at, known), submission).same_as(details):
            return submission
    return None


def _submitted_again(registration: Registration, submission: Submission, at: datetime, known: Known) -> Step:
    if registration.state != "not_required":
        return submit(registration, submission, at, known, open_verification(registration, known))
    case = case_of(registration, submission, at, known)
    stored = replace(registration, assigned=details_of(case, submission))
    return Step(registration=stored, events=(registration_event(stored, VerificationNotRequired),))
