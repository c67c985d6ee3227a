"""Rechecks of one DID after a change that affects many: its rules changed, or the review that it rests on was revoked.

The decisions compare the DID with the states of now, so a DID that was decided since the change is not overwritten.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_verification.domain.axes.registration import Registration, revocation_lapse
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import RecheckDid, RevokeResting
from didflow_verification.domain.registration.lapse import lapsed, planned
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
    """End the approval of a live DID if it rests on the revoked verification: at once, without grace."""
    resting = resting_verification_id(registration, command.revoked)
    verification = known.get(Verification, resting) if resting else None
    if registration is None or verification is None:
        return Unchanged()
    step = lapsed(registration, revocation_lapse(now))
    ended = (verification.moved_to("revoked"),) if verification.status == "approved" else ()
    rules, anywhere = rules_of(registration.country, known)
    after = planned(step.registration, rules, anywhere, now)
    return replace(step, registration=after, verifications=ended).decided()


def resting_verification_id(registration: Registration | None, revoked: UUID) -> UUID | None:
    """Return the approved verification of a live DID that rests on the revoked one, or None."""
    approved = registration.approved if registration and not registration.ended else None
    return approved.verification_id if approved and approved.rests_on == revoked else None
