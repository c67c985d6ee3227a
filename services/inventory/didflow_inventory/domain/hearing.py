"""Keeping the view: what the other services say of their axes, whatever order it comes in.

An axis is taken over only from a newer event than the last; what is of no axis is kept in the history alone.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import LedgerPosted, MessageRefused, ResultReported, ServiceChanged
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.routing import RoutingAxis
from didflow_contracts.events.term import TermAxis
from didflow_inventory.domain.axes import (
    REGISTRATION,
    ROUTING,
    TERM,
    RoutingView,
    ServiceView,
    TermView,
    heard,
    heard_registration,
    is_newer,
    noted,
    service_axis,
)
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.sources import Said, is_foreign
from didflow_inventory.domain.stock import Number

NOT_YET = TooEarly("did.purchased")


def on_registration(did: Did | None, event: Event[RegistrationAxis], _now: datetime) -> Decision:
    """Take the registration over; an outdated event is kept in the history only."""
    held = _newer(did, event, REGISTRATION)
    if not isinstance(held, Did):
        return held
    return conclude(replace(held, registration=heard_registration(event.data, event.time)))


def on_term(did: Did | None, event: Event[TermAxis], _now: datetime) -> Decision:
    """Take the term over, from `term.changed` and `cycle.expired` alike."""
    held = _newer(did, event, TERM)
    if not isinstance(held, Did):
        return held
    return conclude(replace(held, term=heard(TermView, event.data)))


def on_routing(did: Did | None, event: Event[RoutingAxis], _now: datetime, known: Known) -> Decision:
    """Take carrier state and routing over; the release of a removed DID makes its number free again."""
    held = _newer(did, event, ROUTING)
    if not isinstance(held, Did):
        return held
    after = replace(held, routing=heard(RoutingView, event.data))
    number = known.get(Number, after.number)
    released = after.routing.carrier_state == "released"
    if number and number.releasing and number.last_did == after.did_id and released:
        return conclude(after, also=(replace(number, releasing=False),))
    return conclude(after)


def on_service(did: Did | None, event: Event[ServiceChanged], _now: datetime) -> Decision:
    """Take one additional service over; each service is an axis of its own."""
    service = event.data.service
    held = _newer(did, event, service_axis(service))
    if not isinstance(held, Did):
        return held
    return conclude(replace(held, services={**held.services, service: heard(ServiceView, event.data)}))


def on_ledger(did: Did | None, _event: Event[LedgerPosted], _now: datetime) -> Decision:
    """Keep a charge or refund in the history; the ledger itself is billing's."""
    return NOT_YET if did is None else Decided()


def on_message_refused(did: Did | None, _event: Event[MessageRefused], _now: datetime) -> Decision:
    """Keep the refusal of another service in the history. Nothing else changes."""
    return NOT_YET if did is None else Decided()


def on_result(did: Did | None, event: Event[ResultReported], _now: datetime) -> Decision:
    """Keep a carrier's answer in the history; what it means is provisioning's to say."""
    if did is None:
        return Refused("did_unknown", "no DID has this did_id", "did_id")
    if is_foreign(event, did):
        return Refused("not_yours", "this DID belongs to another account", "account")
    return Decided()


def present(did: Did | None, event: Said) -> Did | TooEarly | Unchanged | Refused:
    """Find the DID that an event is about. What comes for a refused one is recorded and changes nothing."""
    if did is None:
        return NOT_YET
    if did.number != event.subject:
        return Refused("number_mismatch", "this did_id belongs to another number", "number")
    return Unchanged() if did.stock == "refused" else did


def _newer(did: Did | None, event: Said, axis: str) -> Did | TooEarly | Unchanged | Refused:
    """Find the DID with this event noted as the last of its axis, or say why it is not applied."""
    held = present(did, event)
    if not isinstance(held, Did):
        return held
    if not is_newer(held.seen, axis, event.source, event.sequence):
        return Refused("outdated", f"a later event of {axis} has been applied")
    return replace(held, seen=noted(held.seen, axis, event.source, event.sequence))
