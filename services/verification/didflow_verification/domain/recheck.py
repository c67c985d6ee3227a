"""Rechecks of one DID after a change that affects many: its rules changed, or the review that it rests on was revoked.

The decisions compare the DID with the states of now, so a DID that was decided since the change is not overwritten.
"""

from datetime import datetime
from uuid import UUID

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import RecheckDid, RevokeResting
from didflow_verification.domain.registration.lapse import planned
from didflow_verification.domain.registration.revoked_details import revoked_verification, without_approval
from didflow_verification.domain.requirements import rules_of


def recheck(registration: Registration | None, _command: RecheckDid, now: datetime, known: Known) -> Decision:
    """Plan a live DID again with the catalogue of now."""
    if registration is None or registration.ended:
        return Unchanged()
    rules, anywhere = rules_of(registration.country, known)
    after = planned(registration, rules, anywhere, now)
    return Unchanged() if after == registration else Decided(state=after)


def revoke_resting(
    registration: Registration | None, command: RevokeResting, now: datetime, known: Known
) -> Decision:
    """End the approval of a live DID if it is the revoked verification or rests on it: at once, without grace.

    If the approval has ended by its date before, the services that still rely on it stop.
    """
    resting = resting_verification_id(registration, command.revoked)
    verification = known.get(Verification, resting) if resting else None
    if registration is None or verification is None:
        return Unchanged()
    step = without_approval(registration, verification, now, known, verification.reasons)
    is_approved = verification.status == "approved"
    ended = (revoked_verification(verification, command.caller, now),) if is_approved else ()
    step = step.then(step.registration, verifications=ended)
    return Unchanged() if step == Step(registration=registration) else step.decided()


def resting_verification_id(registration: Registration | None, revoked: UUID) -> UUID | None:
    """Return the verification that approved a live DID, if it is the revoked one or rests on it, else None.

    The approval is the one in force, or the one that has ended by its date.
    """
    if registration is None or registration.ended:
        return None
    approved = registration.approved or registration.ended_approval
    named = approved is not None and revoked in {approved.rests_on, approved.verification_id}
    return approved.verification_id if approved and named else None
