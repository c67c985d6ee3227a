"""Decisions on due timers: an approval ends, or a number begins or stops to require a registration."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known
from didflow_contracts.events import VerificationExpiring
from didflow_contracts.instants import start_of
from didflow_verification.domain.axes.registration import Lapse, Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.events import EVENT_OF, registration_event
from didflow_verification.domain.registration.lapse import is_outdated, lapsed, planned
from didflow_verification.domain.requirements import (
    Requirement,
    rows_in_force,
    rules_of,
    shown_row,
    utc_day,
)
from didflow_verification.domain.service_requests.end_user_change import with_services
from didflow_verification.domain.verifications.submission import Submission, submission_of, submit


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
    shown = shown_row(rows, registration.end_user_type)
    submission = stored_submission(registration)
    begins = registration.state == "not_required"
    grace = max((row.grace_until for row in rows if row.grace_until), default=None)
    after = registration.moved_to(
        "awaiting" if begins else "not_required",
        requirement=shown.key,
        requirement_version=shown.version,
        grace_until=start_of(grace) if begins and grace else None,
        reasons=(),
        assigned=None,
    )
    step = Step(registration=after, events=(registration_event(after, EVENT_OF[after.state]),))
    if not begins or submission is None:
        return step
    judged = submit(after, submission, at, known, None)
    return step.then(
        judged.registration,
        *judged.events,
        verifications=judged.verifications,
        manual_checks=judged.manual_checks,
    )
