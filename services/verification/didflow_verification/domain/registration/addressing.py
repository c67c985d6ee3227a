"""Whether an event may speak of the DID that it names: by its number, and by the account of an outside source.

Source: spec events, What a service does with what it gets: `not_yours`.
"""

from didflow_chassis.decision import Refused
from didflow_contracts.accounts import is_within
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_verification.domain.axes.registration import Registration

OURS = "/didflow/"


def is_ours(event: Event[EventData]) -> bool:
    """Whether one of our own services says it; between them the account is information."""
    return event.source.startswith(OURS)


def misaddressed(registration: Registration, event: Event[EventData]) -> Refused | None:
    """Return why an event is not about this DID, or None.

    `did_id_taken`: another number under its `did_id`. `not_yours`: an outside source names an account that
    neither holds the DID (itself or from above) nor purchased it.
    """
    if event.data.number != registration.number:
        return Refused("did_id_taken", "this did_id names a DID with another number", "did_id")
    named, purchaser = event.data.account, registration.holders[0].account
    if is_ours(event) or named == purchaser or is_within(registration.account, named):
        return None
    return Refused("not_yours", "the DID belongs to another account", "account")
