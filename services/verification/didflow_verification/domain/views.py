"""Other services' axes as last received: inventory's holding of a DID, and the end of a DID.

An older event of the holding is ignored. The end of a DID is final: it freezes the registration.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged, DidRemoved, PurchaseRefused
from didflow_contracts.ownership import Holder
from didflow_contracts.sequences import is_newer, with_sequence
from didflow_verification.domain.axes.registration import Ended, Registration, event_refusal
from didflow_verification.domain.axes.step import Step, open_verification
from didflow_verification.domain.registration.handover import handed_over, without_refusal
from didflow_verification.domain.service_requests.end_user_change import with_ended_services, with_services

STOCK = "stock"


def on_changed(
    registration: Registration | None, event: Event[DidChanged], now: datetime, known: Known
) -> Decision:
    """Store the holder, the stock and the features. Details that do not serve the new holder are removed.

    If the state changes, the timer is due at once: its decision has the catalogue and makes the plan.
    """
    if registration is None:
        return TooEarly("did.purchased")
    refused = event_refusal(registration, event)
    if refused is not None:
        return refused
    if registration.ended or not is_newer(registration.sequences, STOCK, event):
        return Unchanged()
    sequences = with_sequence(registration.sequences, STOCK, event)
    updated = replace(registration, sequences=sequences, features=event.data.features, stock=event.data.stock)
    account = event.data.account
    if account == registration.account:
        return Decided(state=updated)
    holders = (*registration.holders, Holder(account=account, since=event.time))
    step = without_refusal(Step(registration=replace(updated, account=account, holders=holders)))
    step = with_services(handed_over(step, open_verification(registration, known)), known)
    if step.registration.state == registration.state:
        return step.decided()
    return replace(step, registration=replace(step.registration, lapse=None, due_at=now)).decided()


def on_refused(
    registration: Registration | None, event: Event[PurchaseRefused], _now: datetime, known: Known
) -> Decision:
    """End the registration: inventory refused the purchase."""
    return _end(registration, event, "refused", known)


def on_removed(
    registration: Registration | None, event: Event[DidRemoved], _now: datetime, known: Known
) -> Decision:
    """End the registration: the DID was removed."""
    return _end(registration, event, "removed", known)


def _end(
    registration: Registration | None, event: Event[PurchaseRefused | DidRemoved], how: Ended, known: Known
) -> Decision:
    """Freeze the registration, withdraw its open verification, and close its services, each with an event.

    The frozen axis has no event. The services of a refused DID have events too: whoever has read that a service was
    requested must read that it is not configured.
    """
    if registration is None:
        return TooEarly("did.purchased")
    refused = event_refusal(registration, event)
    if refused is not None:
        return refused
    if registration.ended:
        return Unchanged()
    pending = open_verification(registration, known)
    withdrawn = () if pending is None else (pending.moved_to("withdrawn"),)
    ended = replace(registration, ended=how, open=False, lapse=None, due_at=None)
    return with_ended_services(Step(registration=ended, verifications=withdrawn), known).decided()
