"""What becomes of details when a DID leaves the accounts that their identity serves: they are gone at once.

A DID that moves inside the identity's accounts keeps them. Source: spec lifecycle, Stock and holders.
"""

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from didflow_contracts.events import VerificationApproved, VerificationNotRequired, VerificationRequired
from didflow_verification.domain.axes.registration import EVENT_OF, Details, Holder, moved, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.axes.verification import moved as attempt_moved

_GONE: Final[dict[str, Any]] = {"assigned": None, "open": False, "reasons": ()}


def handed_on(step: Step, open_attempt: Verification | None) -> Step:
    """Let go of the details that do not serve every holder since they were assigned.

    `open_attempt` is the one that waits after the step, or None where none does.
    """
    registration = step.registration
    approved_left = _left(registration.approved, registration.holders)
    assigned_left = _left(registration.assigned, registration.holders)
    if registration.state == "not_required" and assigned_left:
        after = replace(registration, **_GONE)
        return step.then(after, said(after, VerificationNotRequired))
    if assigned_left:
        return _assigned_gone(step, open_attempt, approved_left=approved_left)
    kept = _following(step, open_attempt)
    return _approved_gone(kept) if approved_left else kept


def _left(details: Details | None, holders: Iterable[Holder]) -> bool:
    return details is not None and any(details.left_by(holder) for holder in holders)


def _assigned_gone(step: Step, open_attempt: Verification | None, *, approved_left: bool) -> Step:
    registration = step.registration
    withdrawn = (attempt_moved(open_attempt, "withdrawn"),) if open_attempt else ()
    approved = None if approved_left else registration.approved
    if approved is not None:
        after = replace(registration, **_GONE | {"assigned": approved})
        return step.then(after, said(after, VerificationApproved, approved), attempts=withdrawn)
    after = moved(registration, "awaiting", approved=None, grace_until=None, **_GONE)
    return step.then(after, said(after, VerificationRequired), attempts=withdrawn)


def _approved_gone(step: Step) -> Step:
    """The approved end user is gone; the attempt of another one, which still serves, goes on."""
    registration = step.registration
    awaiting = moved(registration, "awaiting", approved=None, grace_until=None)
    after = moved(awaiting, "pending" if registration.open else "rejected")
    about = after.assigned
    return step.then(after, said(awaiting, VerificationRequired), said(after, EVENT_OF[after.state], about))


def _following(step: Step, open_attempt: Verification | None) -> Step:
    """An open attempt goes with its DID, so that the new holder's reviewers see it."""
    account = step.registration.account
    if open_attempt is None or open_attempt.account == account:
        return step
    return step.then(step.registration, attempts=(replace(open_attempt, account=account),))
