"""End-user details assigned to a DID: judged at once where registration is asked for, kept where it is not.

Assigned details count by their `assigned_at`; a holder that came after it may undo them (see `handing_on`).
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned, VerificationNotRequired
from didflow_verification.domain.axes.registration import Details, Registration, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.registration.addressing import is_ours, misaddressed
from didflow_verification.domain.registration.handing_on import handed_on
from didflow_verification.domain.registration.holding import open_attempt
from didflow_verification.domain.registration.lapsing import planned
from didflow_verification.domain.services.serving import served
from didflow_verification.domain.verifications.judging import ownership_findings
from didflow_verification.domain.verifications.submitting import Wish, case_of, details_of, submit


def on_assigned(
    registration: Registration | None, event: Event[EnduserAssigned], now: datetime, known: Known
) -> Decision:
    """Judge the details, or keep them where no registration is asked for. Source: spec lifecycle, Registration.

    Refused `did_ended`; what `misaddressed` names; and `not_yours` for another's details on a DID that needs none.
    """
    if registration is None:
        return TooEarly("did.purchased")
    if registration.ended:
        return Refused("did_ended", f"the DID was {registration.ended}")
    misdirected = misaddressed(registration, event)
    if misdirected is not None:
        return misdirected
    wish = assignment_wish(registration, event)
    wish = replace(wish, at=min(wish.at, now))
    if _is_past(registration, wish.at):
        return Unchanged()
    return _assign(registration, wish, now, known)


def _is_past(registration: Registration, at: datetime) -> bool:
    """Whether details assigned at that instant are older than those in force, or came and are gone already."""
    last, assigned = registration.assigned_at, registration.assigned
    if last is None or at > last:
        return False
    return at < last or assigned is None or assigned.assigned_at != last


def assignment_wish(registration: Registration, event: Event[EnduserAssigned]) -> Wish:
    """Return what an event wishes for, under the account that held the DID at that time.

    Our own inventory knows that account; for what an outside source says, it is the holder heard of.
    """
    at = event.data.assigned_at or event.time
    return Wish(
        holder=event.data.account if is_ours(event) else registration.holder_at(at),
        at=at,
        identity_id=event.data.identity_id,
        address_id=event.data.address_id,
        document_ids=event.data.document_ids,
        by=event.actor,
    )


def _assign(registration: Registration, wish: Wish, now: datetime, known: Known) -> Decision:
    case = case_of(registration, wish, now, known)
    details = details_of(case, wish)
    marked = replace(registration, assigned_at=wish.at)
    if details.same_as(registration.assigned) and registration.state != "expired":
        return _again(marked, details) if wish.at != registration.assigned_at else Unchanged()
    before = open_attempt(registration, known)
    if registration.state != "not_required":
        step = submit(marked, wish, now, known, before)
    elif ownership_findings(case):
        return Refused("not_yours", "these details cannot be used for this number", "identity_id")
    else:
        kept = replace(marked, assigned=details)
        step = Step(registration=kept, events=(said(kept, VerificationNotRequired),))
    pending = next((a for a in step.attempts if a.status == "pending"), None)
    step = handed_on(step, pending)
    after = planned(step.registration, case.rules, case.anywhere, now)
    return served(replace(step, registration=after), known).decided()


def _again(registration: Registration, details: Details) -> Decision:
    """The same details: nothing is judged or said, but from now on they count as assigned later."""

    def later(known: Details | None) -> Details | None:
        if known is None or not details.same_as(known):
            return known
        return replace(known, holder=details.holder, assigned_at=details.assigned_at)

    return Decided(
        state=replace(
            registration, assigned=later(registration.assigned), approved=later(registration.approved)
        )
    )
