"""A revocation of an approval: it ends at once, its services stop, and a person must judge the same details again.

Source: spec verification, Verifications; spec lifecycle, Registration.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Caller, Known
from didflow_contracts.events.registration import Reason
from didflow_verification.domain.axes.registration import (
    Details,
    Registration,
    RevokedDetails,
    revocation_lapse,
)
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.published_reasons import published_reasons
from didflow_verification.domain.registration.lapse import lapsed, planned
from didflow_verification.domain.requirements import rules_of
from didflow_verification.domain.service_requests.end_user_change import with_revoked_identity


def needs_person(
    registration: Registration, identity_id: UUID, address_id: UUID | None, known: Known
) -> bool:
    """Return True if these details were revoked for the DID and no person has approved them since.

    Their revisions and documents do not matter: whoever entered them could change these.
    """
    details = RevokedDetails(identity_id=identity_id, address_id=address_id)
    return details in with_revoked_approval(registration, known).revoked


def with_revoked_approval(registration: Registration, known: Known) -> Registration:
    """Return the registration with the details of its last approval as revoked, if the review behind it is revoked.

    The job of a revocation reaches the DID later. What is decided before that must be decided as after it.
    """
    approval, review_id = _last_approval(registration), review_of_last_approval(registration)
    review = known.get(Verification, review_id) if review_id else None
    if approval is None or review is None or review.status != "revoked":
        return registration
    details = RevokedDetails(identity_id=approval.identity_id, address_id=approval.address_id)
    return registration if details in registration.revoked else _marked(registration, details)


def review_of_last_approval(registration: Registration) -> UUID | None:
    """Return the review behind the approval in force, or behind the one that ended by its date, or None."""
    approval = _last_approval(registration)
    return (approval.rests_on or approval.verification_id) if approval else None


def _last_approval(registration: Registration) -> Details | None:
    return registration.approved or registration.ended_approval


def _marked(registration: Registration, details: RevokedDetails) -> Registration:
    others = tuple(each for each in registration.revoked if each != details)
    return replace(registration, revoked=(*others, details))


def judged_by_person(registration: Registration, verification: Verification) -> Registration:
    """Return the registration after a person approved a verification: its details count like any others again."""
    left = tuple(each for each in registration.revoked if each != _details_of(verification))
    return replace(registration, revoked=left)


def revoked_verification(
    verification: Verification, caller: Caller, now: datetime, **more: Any
) -> Verification:
    """Return the verification as this caller revoked it now. Who approved it, and when, stays."""
    return verification.moved_to("revoked", revoked_at=now, revoked_by=caller.actor, **more)


def without_approval(
    registration: Registration,
    revoked: Verification,
    now: datetime,
    known: Known,
    reasons: tuple[Reason, ...] = (),
) -> Step:
    """Return the step after the revocation of a verification of the DID.

    If its details are in force, they expire now, without grace. If they have ended by their date before, the services
    that still rely on them stop. An ended DID does not change.
    """
    if registration.ended:
        return Step(registration=registration)
    marked = _marked(registration, _details_of(revoked))
    approved = registration.approved
    if approved is None and registration.state != "not_required":
        return with_revoked_identity(Step(registration=marked), known, revoked.identity_id)
    if approved is None or approved.verification_id != revoked.verification_id:
        return Step(registration=marked)
    step = lapsed(marked, revocation_lapse(now), published_reasons(reasons))
    rules, anywhere = rules_of(registration.country, known)
    after = planned(step.registration, rules, anywhere, now)
    return with_revoked_identity(replace(step, registration=after), known, revoked.identity_id)


def _details_of(verification: Verification) -> RevokedDetails:
    return RevokedDetails(identity_id=verification.identity_id, address_id=verification.address_id)
