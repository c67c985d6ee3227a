"""What others say of a DID, taken into its routing: its start, its holding, its registration, its term.

Each axis is applied only when it is newer than the last one applied; then what is wanted is served.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, TooEarly, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged
from didflow_contracts.events.purchase import Acquisition
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.term import TermAxis
from didflow_provisioning.domain.desk import conclude, laid_out, serve
from didflow_provisioning.domain.effects import pruned
from didflow_provisioning.domain.identity import fresh_id
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.wanted import REGISTERED

START = "did.purchased"
_OURS = "/didflow/"
_GIVEN = frozenset(("assigned", "blocked", "on_hold"))


def on_purchased(routing: Routing | None, event: Event[Acquisition], now: datetime) -> Decision:  # noqa: ARG001
    """Begin a DID, or hear of its purchase again: nothing is ordered before inventory has given it the number."""
    data = event.data
    if routing is None:
        return Decided(
            state=Routing(
                did_id=data.did_id,
                number=data.number,
                account=data.account,
                features=data.features,
                carrier=data.carrier,
                sms_carrier=data.sms_carrier,
            )
        )
    if routing.number != data.number:
        return Refused("did_id_taken", "this did_id names a DID with another number", "did_id")
    if data.account != routing.account and not event.source.startswith(_OURS):
        return Refused("not_yours", "this DID belongs to another account", "account")
    return Unchanged()


def on_changed(routing: Routing | None, event: Event[DidChanged], now: datetime, known: Known) -> Decision:
    """Take the holding over, clear what does not serve its account, and lead the carrier there."""
    if routing is None:
        return TooEarly(START)
    if _is_past(routing, "holding", event):
        return Unchanged()
    data = event.data
    heard = replace(
        _seen(routing, "holding", event),
        account=data.account,
        features=data.features,
        carrier=data.carrier,
        sms_carrier=data.sms_carrier,
        origin=data.origin,
        stock=data.stock,
        confirmed=routing.confirmed or data.stock in _GIVEN,
    )
    return _led(routing, _without_foreign(heard), event, now, known)


def on_registration(
    routing: Routing | None, event: Event[RegistrationAxis], now: datetime, known: Known
) -> Decision:
    """Take the registration over; a lapsed one counts while its grace runs."""
    if routing is None:
        return TooEarly(START)
    if _is_past(routing, "registration", event):
        return Unchanged()
    data = event.data
    runs = data.registration not in REGISTERED and data.grace_until is not None and data.grace_until > now
    seen = _seen(routing, "registration", event)
    heard = replace(seen, registration=data.registration, due_at=data.grace_until if runs else None)
    return _led(routing, heard, event, now, known)


def on_term(routing: Routing | None, event: Event[TermAxis], now: datetime, known: Known) -> Decision:
    """Take the term's state over: canceled and aging terms suspend the number."""
    if routing is None:
        return TooEarly(START)
    if _is_past(routing, "term", event):
        return Unchanged()
    heard = replace(_seen(routing, "term", event), term=event.data.state)
    return _led(routing, heard, event, now, known)


def _is_past(routing: Routing, name: str, event: Event[Any]) -> bool:
    """Say whether this axis is known newer already, or can no longer matter: the DID is at its end."""
    if routing.ended is not None:
        return True
    return event.sequence is not None and event.sequence <= routing.seen.get(name, 0)


def _seen(routing: Routing, name: str, event: Event[Any]) -> Routing:
    seen = routing.seen if event.sequence is None else {**routing.seen, name: event.sequence}
    return replace(routing, seen=seen)


def _led(before: Routing, heard: Routing, event: Event[Any], now: datetime, known: Known) -> Decision:
    desk = laid_out(before, known, fresh_id(event))
    there = desk.with_routing(pruned(heard))
    if heard.confirmed and heard.did_id not in there.line.lives and heard.carrier_state != "released":
        there = replace(there, line=replace(there.line, lives=(*there.line.lives, heard.did_id)))
    return conclude(desk, serve(there, now), heard.did_id)


def _without_foreign(routing: Routing) -> Routing:
    """Clear targets of accounts that the DID has left. Source: spec lifecycle, Stock and holders."""
    voice, sms = routing.voice, routing.sms
    return replace(
        routing,
        voice=voice if voice and is_within(routing.account, voice.account) else None,
        sms=sms if sms and is_within(routing.account, sms.account) else None,
    )
