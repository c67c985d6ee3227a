"""What inventory's word about who holds a DID does to its registration."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged
from didflow_verification.domain.axes.registration import Holder, Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.registration.addressing import misaddressed
from didflow_verification.domain.registration.handing_on import handed_on
from didflow_verification.domain.services.serving import served


def open_attempt_id(registration: Registration | None) -> UUID | None:
    """Return the id of the attempt that is not decided yet, or None."""
    if registration is None or not registration.open or registration.assigned is None:
        return None
    return registration.assigned.verification_id


def open_attempt(registration: Registration, known: Known) -> Verification | None:
    """Return the attempt that is not decided yet, or None."""
    identifier = open_attempt_id(registration)
    return known.get(Verification, identifier) if identifier else None


def on_changed(
    registration: Registration | None, event: Event[DidChanged], now: datetime, known: Known
) -> Decision:
    """Take over the holder; details that do not serve it are gone. Older news of the holding is passed over.

    What a new state is due for the clock plans: it has the catalogue.
    """
    if registration is None:
        return TooEarly("did.purchased")
    misdirected = misaddressed(registration, event)
    if misdirected is not None:
        return misdirected
    last = registration.seen.get(event.source, 0)
    if registration.ended or (event.sequence is not None and event.sequence <= last):
        return Unchanged()
    sequence = last if event.sequence is None else event.sequence
    heard = replace(
        registration, seen={**registration.seen, event.source: sequence}, features=event.data.features
    )
    account = event.data.account
    if account == registration.account:
        return Decided(state=heard)
    holders = (*registration.holders, Holder(account=account, since=event.time))
    step = Step(registration=replace(heard, account=account, holders=holders))
    step = served(handed_on(step, open_attempt(registration, known)), known)
    if step.registration.state == registration.state:
        return step.decided()
    return replace(step, registration=replace(step.registration, lapse=None, due_at=now)).decided()
