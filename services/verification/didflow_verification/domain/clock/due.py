"""What the clock does to a registration at its `due_at`: warn, end an approval, let a requirement come or go.

Each look goes by the catalogue as it is then; what it no longer finds due is only planned anew.
"""

from datetime import UTC, datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known
from didflow_contracts.events import VerificationExpiring
from didflow_verification.domain.axes.lapse import Lapse
from didflow_verification.domain.axes.registration import EVENT_OF, Registration, moved, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.catalogue.rules import Requirement, row_for, rows_in_force, rules_of
from didflow_verification.domain.evaluation.validity import midnight
from didflow_verification.domain.registration.lapsing import lapsed, planned
from didflow_verification.domain.registration.requiring import is_outdated
from didflow_verification.domain.services.serving import served
from didflow_verification.domain.verifications.submitting import Wish, submit, wish_again


def on_due(registration: Registration, at: datetime, known: Known) -> Decision:
    """Do what is due; `at` is the instant that was planned, however late the clock is."""
    rules, anywhere = rules_of(registration.country, known)
    fresh = planned(registration, rules, anywhere, at)
    if fresh.due_at is None or fresh.due_at > at:
        return Step(registration=fresh).decided()
    if fresh.lapse is not None:
        return _ending(fresh, fresh.lapse, at).decided()
    rows = rows_in_force(rules, anywhere, fresh.number_type, at.astimezone(UTC).date())
    if not is_outdated(fresh, rows):
        return Step(registration=replace(fresh, due_at=None)).decided()
    step = _turned(fresh, rows, at, known)
    step = replace(step, registration=planned(step.registration, rules, anywhere, at))
    return served(step, known).decided()


def kept_wish(registration: Registration) -> Wish | None:
    """Return the details that a DID without a requirement was given, to be judged when one comes."""
    details = registration.assigned
    if details is None or registration.state != "not_required":
        return None
    return wish_again(details, None)


def _ending(registration: Registration, lapse: Lapse, at: datetime) -> Step:
    if lapse.warned:
        return lapsed(registration, lapse)
    ends = max(lapse.at, at)
    told = replace(registration, lapse=replace(lapse, warned=True), due_at=ends)
    event = said(told, VerificationExpiring, told.approved, expires_at=ends, reason=lapse.reason)
    return Step(registration=told, events=(event,))


def _turned(registration: Registration, rows: tuple[Requirement, ...], at: datetime, known: Known) -> Step:
    """A requirement came, with time to comply, or went; details that were kept are judged at once."""
    shown = row_for(rows, registration.end_user_type) or rows[0]
    wish = kept_wish(registration)
    asked = registration.state == "not_required"
    grace = max((row.grace_until for row in rows if row.grace_until), default=None)
    after = moved(
        registration,
        "awaiting" if asked else "not_required",
        requirement=shown.key,
        requirement_version=shown.version,
        grace_until=midnight(grace) if asked and grace else None,
        reasons=(),
        assigned=None,
    )
    step = Step(registration=after, events=(said(after, EVENT_OF[after.state]),))
    if not asked or wish is None:
        return step
    judged = submit(after, wish, at, known, None)
    return step.then(judged.registration, *judged.events, attempts=judged.attempts)
