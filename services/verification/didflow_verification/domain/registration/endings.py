"""The end of a DID freezes its registration; an attempt that is still open is withdrawn, and nothing is said."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved, PurchaseRefused
from didflow_verification.domain.axes.registration import Ended, Registration
from didflow_verification.domain.axes.verification import moved
from didflow_verification.domain.registration.addressing import misaddressed
from didflow_verification.domain.registration.holding import open_attempt
from didflow_verification.domain.services.serving import closed


def on_refused(
    registration: Registration | None, event: Event[PurchaseRefused], _now: datetime, known: Known
) -> Decision:
    """Inventory did not give the number to this DID."""
    return _ended(registration, event, "refused", known)


def on_removed(
    registration: Registration | None, event: Event[DidRemoved], _now: datetime, known: Known
) -> Decision:
    """The DID's life is over."""
    return _ended(registration, event, "removed", known)


def _ended(
    registration: Registration | None, event: Event[PurchaseRefused | DidRemoved], how: Ended, known: Known
) -> Decision:
    if registration is None:
        return TooEarly("did.purchased")
    misdirected = misaddressed(registration, event)
    if misdirected is not None:
        return misdirected
    if registration.ended:
        return Unchanged()
    attempt = open_attempt(registration, known)
    withdrawn = () if attempt is None else (moved(attempt, "withdrawn"),)
    over = replace(registration, ended=how, open=False, lapse=None, due_at=None, services={})
    return Decided(state=over, also=(*withdrawn, *closed(registration, known)))
