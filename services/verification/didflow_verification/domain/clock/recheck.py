"""A registration is looked at again because something that it rests on changed: the catalogue, or a review.

Whoever changes that writes one row for each living DID concerned, in the same transaction; the clock then takes
them DID by DID, so that a review that thousands rest on is no giant transaction.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known
from didflow_verification.domain.axes.lapse import revocation
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.axes.verification import moved as attempt_moved
from didflow_verification.domain.catalogue.rules import rules_of
from didflow_verification.domain.registration.lapsing import lapsed, planned


class Recheck(Struct, frozen=True, kw_only=True):
    """That a DID is to be looked at again at `due_at` (None: it was); `revoked` names a review that is no more."""

    did_id: UUID
    number: str
    due_at: datetime | None
    revoked: UUID | None


def resting_attempt_id(registration: Registration | None, revoked: UUID | None) -> UUID | None:
    """Return the approved attempt that rests on a revoked review, or None."""
    approved = registration.approved if registration and not registration.ended else None
    if approved is None or revoked is None or approved.rests_on != revoked:
        return None
    return approved.verification_id


def look_again(recheck: Recheck, at: datetime, known: Known) -> Decision:
    """End what rests on a revoked review; plan anew by the catalogue as it is."""
    done = replace(recheck, due_at=None, revoked=None)
    registration = known.get(Registration, recheck.did_id)
    if registration is None or registration.ended:
        return Decided(state=done)
    step = _revoked(registration, recheck.revoked, at, known)
    rules, anywhere = rules_of(registration.country, known)
    after = planned(step.registration, rules, anywhere, at)
    changed = () if after == registration else (after,)
    return Decided(state=done, also=(*changed, *step.attempts), events=step.events)


def _revoked(registration: Registration, revoked: UUID | None, at: datetime, known: Known) -> Step:
    resting = resting_attempt_id(registration, revoked)
    attempt = known.get(Verification, resting) if resting else None
    if attempt is None:
        return Step(registration=registration)
    step = lapsed(registration, revocation(at))
    gone = (attempt_moved(attempt, "revoked"),) if attempt.status == "approved" else ()
    return step.then(step.registration, attempts=gone)
