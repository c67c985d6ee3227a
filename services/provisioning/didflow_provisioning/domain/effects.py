"""What an order asks for, and what its end does to the routing. Late ends go the same way as timely ones."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from didflow_contracts.event import Part
from didflow_contracts.events.carrier import (
    ActivateParameters,
    ReleaseParameters,
    ResumeParameters,
    SetCapacityParameters,
    SetSmsParameters,
    SetVoiceParameters,
    SuspendParameters,
)
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain import carrier
from didflow_provisioning.domain.routing import Applied, Failure, Order, Routing
from didflow_provisioning.domain.wanted import called_for, carrier_of, halt


def parameters(routing: Routing, action: CarrierAction) -> dict[str, JsonValue]:
    """Return what an order says now, as JSON. Source: spec events, provisioning.commands."""
    said: dict[str, JsonValue] = _ASKED[action](routing).model_dump(mode="json")
    return said


def take_effect(routing: Routing, action: CarrierAction, said: Mapping[str, JsonValue]) -> Routing:
    """Return the routing after the carrier has done an order; what it cannot change stays."""
    if routing.carrier_state == "released":
        return routing
    state = carrier.SUCCEEDED.get((action, routing.carrier_state), routing.carrier_state)
    moved = carrier.moved(routing.carrier_state, state)
    applied = _applied(routing.applied, action, said)
    return pruned(replace(routing, carrier_state=moved, applied=applied))


def take_failure(routing: Routing, failure: Failure, reason: str) -> Routing:
    """Return the routing after an order failed for good: a failed activation, or a wish left unapplied."""
    state = carrier.FAILED.get((failure.action, routing.carrier_state), routing.carrier_state)
    moved = carrier.moved(routing.carrier_state, state)
    others = tuple(each for each in routing.failures if each.action != failure.action)
    why = reason if moved == "failed" else routing.failed_because
    return pruned(replace(routing, carrier_state=moved, failed_because=why, failures=(*others, failure)))


def as_if_done(routing: Routing) -> Routing:
    """Return the routing as it would be if the open order had succeeded: what is called for beyond it."""
    order = routing.out
    if order is None:
        return routing
    return take_effect(replace(routing, out=None), order.action, order.parameters)


def pruned(routing: Routing) -> Routing:
    """Forget failures whose wish no longer stands; a failed activation stands until it is tried again."""
    if not routing.failures:
        return routing
    wish = called_for(as_if_done(routing) if routing.out else routing)
    stuck = routing.carrier_state == "failed" and routing.ended is None
    kept = tuple(f for f in routing.failures if f.action in wish or (stuck and f.action == "activate"))
    return replace(routing, failures=kept)


def ordered(routing: Routing, order: Order, carrier_name: str) -> Routing:
    """Return the routing once an order has left for its carrier."""
    state = carrier.SENT.get((order.action, routing.carrier_state), routing.carrier_state)
    moved = carrier.moved(routing.carrier_state, state)
    served_by = carrier_name if order.action == "activate" else routing.served_by
    return replace(routing, carrier_state=moved, served_by=served_by, out=order)


def _applied(before: Applied, action: CarrierAction, said: Mapping[str, JsonValue]) -> Applied:
    if action == "activate":
        asked = ActivateParameters.model_validate(said)
        return Applied(voice=asked.voice, capacity=asked.capacity, sms=asked.sms)
    if action == "set_voice":
        return replace(before, voice=SetVoiceParameters.model_validate(said).voice)
    if action == "set_capacity":
        return replace(before, capacity=SetCapacityParameters.model_validate(said).capacity)
    if action == "set_sms":
        return replace(before, sms=SetSmsParameters.model_validate(said).sms)
    return Applied() if action == "release" else before


def _activation(routing: Routing) -> ActivateParameters:
    # Where another carrier has the messages, the SMS target goes there by an order of its own.
    here = carrier_of(routing, "activate")
    elsewhere = routing.sms_carrier not in (None, here)
    return ActivateParameters(
        features=routing.features,
        voice=routing.voice_delivery,
        capacity=routing.capacity,
        sms=None if elsewhere else routing.sms_delivery,
    )


_ASKED: Final[Mapping[CarrierAction, Callable[[Routing], Part]]] = {
    "activate": _activation,
    "suspend": lambda routing: SuspendParameters(reason=halt(routing)),
    "resume": lambda _: ResumeParameters(),
    "release": lambda routing: ReleaseParameters(keep=routing.origin == "stock", reason=routing.ended),
    "set_voice": lambda routing: SetVoiceParameters(voice=routing.voice_delivery),
    "set_capacity": lambda routing: SetCapacityParameters(capacity=routing.capacity),
    "set_sms": lambda routing: SetSmsParameters(sms=routing.sms_delivery),
}
