"""The handover of a DID to an account that the identity does not serve: the details are removed at once.

If the new account is served by the identity, the DID keeps its details. Source: spec lifecycle, Stock and holders.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from didflow_contracts.events import VerificationApproved, VerificationNotRequired, VerificationRequired
from didflow_contracts.ownership import Holder
from didflow_verification.domain.axes.registration import Details
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.events import EVENT_OF, registration_event

_WITHOUT_DETAILS: Final[dict[str, Any]] = {"assigned": None, "open": False, "reasons": ()}


def handed_over(step: Step, pending: Verification | None) -> Step:
    """Remove details that do not serve every holder since their assignment.

    `pending` is the verification that is open after the step, or None.
    """
    registration = step.registration
    approved_left = _left(registration.approved, registration.holders)
    assigned_left = _left(registration.assigned, registration.holders)
    if registration.state == "not_required" and assigned_left:
        after = replace(registration, **_WITHOUT_DETAILS)
        return step.then(after, registration_event(after, VerificationNotRequired))
    if assigned_left:
        return _without_assigned(step, pending, approved_left=approved_left)
    step = _with_new_account(step, pending)
    return _without_approved(step) if approved_left else step


def without_refusal(step: Step) -> Step:
    """Remove the reasons for which details of a number without a requirement were refused to the former holder."""
    registration = step.registration
    if registration.state != "not_required" or not registration.reasons:
        return step
    after = replace(registration, reasons=())
    return step.then(after, registration_event(after, VerificationNotRequired))


def _left(details: Details | None, holders: Sequence[Holder]) -> bool:
    if details is None:
        return False
    return details.of_another(holders) or any(details.left_by(holder) for holder in holders)


def _without_assigned(step: Step, pending: Verification | None, *, approved_left: bool) -> Step:
    registration = step.registration
    withdrawn = (pending.moved_to("withdrawn"),) if pending else ()
    approved = None if approved_left else registration.approved
    if approved is not None:
        after = replace(registration, **_WITHOUT_DETAILS | {"assigned": approved})
        event = registration_event(after, VerificationApproved, approved)
        return step.then(after, event, verifications=withdrawn)
    after = registration.moved_to("awaiting", approved=None, grace_until=None, **_WITHOUT_DETAILS)
    return step.then(after, registration_event(after, VerificationRequired), verifications=withdrawn)


def _without_approved(step: Step) -> Step:
    """Remove the approved end user. The verification of another end user, who still serves, continues."""
    registration = step.registration
    awaiting = registration.moved_to("awaiting", approved=None, grace_until=None)
    after = awaiting.moved_to("pending" if registration.open else "rejected")
    return step.then(
        after,
        registration_event(awaiting, VerificationRequired),
        registration_event(after, EVENT_OF[after.state], after.assigned),
    )


def _with_new_account(step: Step, pending: Verification | None) -> Step:
    """Move a pending verification to the new holder, so that the reviewers of that account see it."""
    account = step.registration.account
    if pending is None or pending.account == account:
        return step
    return step.then(step.registration, verifications=(replace(pending, account=account),))
