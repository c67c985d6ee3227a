"""Decisions on the events of the other services, in whatever order they arrive.

A view is replaced only by an event that is newer than the last applied one of its axis. An event that belongs to
no axis is kept in the history only.
"""

from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import (
    EnduserAssigned,
    LedgerPosted,
    MessageRefused,
    ResultReported,
    ServiceChanged,
    TermExpiring,
)
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.routing import RoutingAxis
from didflow_contracts.events.term import TermAxis
from didflow_contracts.ownership import contradicts_owner
from didflow_contracts.sequences import is_newer, with_sequence
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.views import (
    REGISTRATION,
    ROUTING,
    TERM,
    RoutingView,
    ServiceView,
    TermView,
    Views,
    completes,
    registration_view,
    service_axis,
    term_after_removal,
    view_of,
)

OUTDATED: Final = "outdated"
NO_PURCHASE_YET = TooEarly("did.purchased")
NOT_YOURS = Refused("not_yours", "This DID belongs to another account.", "account")


def on_registration(did: Did | None, event: Event[RegistrationAxis], now: datetime) -> Decision:
    """Replace the view of the registration.

    An outdated event still shows that the registration was complete once.
    """
    found = _to_update(did, event, REGISTRATION)
    if not isinstance(found, Did):
        return _completed_before(did, found, event, now)
    view = registration_view(found.views.registration, event.data, event.time)
    return conclude(found.holding, _updated(found, REGISTRATION, event, registration=view), now)


def _completed_before(
    did: Did | None, refused: Decision, event: Event[RegistrationAxis], now: datetime
) -> Decision:
    is_outdated = isinstance(refused, Refused) and refused.code == OUTDATED
    if did is None or not is_outdated or not completes(event.data) or did.views.registration.completed:
        return refused
    views = replace(did.views, registration=replace(did.views.registration, completed=True))
    return replace(conclude(did.holding, views, now), refused=refused)


def on_term(did: Did | None, event: Event[TermAxis], now: datetime) -> Decision:
    """Replace the view of the term. `term.changed` and `cycle.expired` both hold the whole term.

    The term of a removed DID stays closed.
    """
    found = _to_update(did, event, TERM)
    if not isinstance(found, Did):
        return found
    view = view_of(TermView, event.data)
    if found.holding.stock == "removed":
        view = term_after_removal(view)
    return conclude(found.holding, _updated(found, TERM, event, term=view), now)


def on_routing(did: Did | None, event: Event[RoutingAxis], now: datetime, known: Known) -> Decision:
    """Replace the view of the carrier state and the routing.

    When the carrier has released a removed DID, its number is free again.
    """
    found = _to_update(did, event, ROUTING)
    if not isinstance(found, Did):
        return found
    view = view_of(RoutingView, event.data)
    holding, views = found.holding, _updated(found, ROUTING, event, routing=view)
    number = known.get(Number, holding.number)
    released = view.carrier_state == "released"
    if number and number.releasing and number.last_did_id == holding.did_id and released:
        return conclude(holding, views, now, also=(replace(number, releasing=False),))
    return conclude(holding, views, now)


def on_service(did: Did | None, event: Event[ServiceChanged], now: datetime) -> Decision:
    """Replace the view of one additional service. Each service is an axis of its own."""
    service = event.data.service
    axis = service_axis(service)
    found = _to_update(did, event, axis)
    if not isinstance(found, Did):
        return found
    services = {**found.views.services, service: view_of(ServiceView, event.data)}
    return conclude(found.holding, _updated(found, axis, event, services=services), now)


def on_record_only(did: Did | None, _event: Event[LedgerPosted | TermExpiring], _now: datetime) -> Decision:
    """Record a charge, a refund or a reminder in the history, also for a DID that is gone. No view depends on it."""
    return NO_PURCHASE_YET if did is None else Decided()


def on_message_refused(did: Did | None, event: Event[MessageRefused], now: datetime) -> Decision:
    """Record in the history that another service refused an event about this DID.

    After an assignment was refused, nobody can say without verification whether the last one is in force.
    """
    if did is None:
        return NO_PURCHASE_YET
    known = did.views.assignment_refused_at
    if event.data.refused_type != EnduserAssigned.type() or (known is not None and known >= event.time):
        return Decided()
    return conclude(did.holding, replace(did.views, assignment_refused_at=event.time), now)


def on_result(did: Did | None, event: Event[ResultReported], _now: datetime) -> Decision:
    """Record the result of a carrier command in the history. Provisioning decides what follows from it.

    An unknown DID is refused and never parked, so an outside source cannot fill the parked messages.
    """
    if did is None:
        return Refused("did_unknown", "No DID has this did_id.", "did_id")
    if contradicts_owner(event, did.holding.account):
        return NOT_YOURS
    return Decided()


def did_of_event(did: Did | None, event: Event[Any]) -> Did | TooEarly | Unchanged | Refused:
    """Return the DID that an event is about, or the decision if the event cannot be applied to it.

    An event about a refused DID is recorded in the history and changes nothing.
    """
    if did is None:
        return NO_PURCHASE_YET
    if did.holding.number != event.subject:
        return Refused("did_id_taken", "This did_id belongs to another number.", "did_id")
    return Unchanged() if did.holding.stock == "refused" else did


def _to_update(did: Did | None, event: Event[Any], axis: str) -> Did | TooEarly | Unchanged | Refused:
    """Return the DID if the event is newer than the DID's view of the axis, else the decision."""
    found = did_of_event(did, event)
    if isinstance(found, Did) and not is_newer(found.views.sequences, axis, event):
        return Refused(OUTDATED, f"A later event of the axis {axis} has been applied.")
    return found


def _updated(did: Did, axis: str, event: Event[Any], **view: Any) -> Views:
    """Return the views with a newer one, and with the event's sequence as the last applied one of its axis."""
    sequences = with_sequence(did.views.sequences, axis, event)
    return replace(did.views, sequences=sequences, **view)
