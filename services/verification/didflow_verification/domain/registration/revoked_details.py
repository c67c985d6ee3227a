"""A revocation of an approval: it ends at once, its services stop, and a person must judge the same details again.

Source: spec verification, Verifications; spec lifecycle, Registration.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Known
from didflow_contracts.events.registration import Reason
from didflow_verification.domain.axes.registration import Registration, RevokedDetails, revocation_lapse
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

    Their revisions and documents do not matter: whoever entered them could change these. They were also revoked if the
    approval that ended by its date rests on a revoked review, but the job of the revocation has not reached the DID.
    """
    details = RevokedDetails(identity_id=identity_id, address_id=address_id)
    if details in registration.revoked:
        return True
    ended, review_id = registration.ended_approval, review_of_ended_approval(registration)
    if (
        ended is None
        or review_id is None
        or (ended.identity_id, ended.address_id) != (identity_id, address_id)
    ):
        return False
    review = known.get(Verification, review_id)
    return review is not None and review.status == "revoked"


def review_of_ended_approval(registration: Registration) -> UUID | None:
    """Return the review that the approval rests on which ended by its date, or None if no approval has ended."""
    ended = registration.ended_approval
    return (ended.rests_on or ended.verification_id) if ended else None


def judged_by_person(registration: Registration, verification: Verification) -> Registration:
    """Return the registration after a person approved a verification: its details count like any others again."""
    left = tuple(each for each in registration.revoked if each != _details_of(verification))
    return replace(registration, revoked=left)


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
    details = _details_of(revoked)
    others = tuple(each for each in registration.revoked if each != details)
    marked = replace(registration, revoked=(*others, details))
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
