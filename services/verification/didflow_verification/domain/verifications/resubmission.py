"""Submitting again after a rejection: the next attempt, judged by today's requirement."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decision, Known, Refused
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.services.serving import served
from didflow_verification.domain.verifications.commands import Resubmit
from didflow_verification.domain.verifications.submitting import Wish, submit


def resubmit(registration: Registration | None, command: Resubmit, now: datetime, known: Known) -> Decision:
    """Submit again. Refused `superseded` for an old attempt; `not_rejected` for one that nothing ended."""
    attempt = known.get(Verification, command.verification_id)
    if registration is None or attempt is None or attempt.did_id != registration.did_id:
        return Refused("not_found", "no such verification")
    if registration.ended:
        return Refused("did_ended", f"the DID was {registration.ended}")
    if attempt.status != "rejected" and registration.state != "expired":
        return Refused("not_rejected", f"this attempt is {attempt.status}")
    latest = registration.assigned
    if latest is None or latest.verification_id != attempt.verification_id:
        return Refused("superseded", "newer details took the place of this attempt")
    marked = replace(registration, assigned_at=now)
    step = submit(marked, resubmission_wish(command, registration.account, now), now, known, None)
    return served(step, known).decided(step.attempts[-1])


def resubmission_wish(command: Resubmit, holder: str, at: datetime) -> Wish:
    """Return what the command wishes for, for the account that holds the DID."""
    return Wish(
        holder=holder,
        at=at,
        identity_id=command.identity_id,
        address_id=command.address_id,
        document_ids=command.document_ids,
        by=_actor(command.caller),
    )


def _actor(caller: Caller) -> str:
    return f"user:{caller.subject}"
