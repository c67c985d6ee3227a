"""What an order asks for, and what its end does to the routing. Late ends go the same way as timely ones."""

from msgspec.structs import replace

from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain import carrier
from didflow_provisioning.domain.asked import Asked
from didflow_provisioning.domain.routing import Applied, Failure, Order, Routing
from didflow_provisioning.domain.wanted import called_for, carrier_of, halt


def asked_now(routing: Routing, action: CarrierAction) -> Asked:
    """Return what an order asks for when it leaves now."""
    # Where another carrier has the messages, the SMS target goes there by an order of its own.
    texts_elsewhere = routing.sms_carrier not in (None, carrier_of(routing, "activate"))
    with_activation = action == "activate" and not texts_elsewhere
    return Asked(
        features=routing.features,
        voice=routing.voice_delivery,
        capacity=routing.capacity,
        sms=routing.sms_delivery if with_activation or action == "set_sms" else None,
        keep=routing.origin == "stock",
        reason=routing.ended or halt(routing),
    )


def take_effect(routing: Routing, action: CarrierAction, asked: Asked) -> Routing:
    """Return the routing after the carrier has done an order; what it cannot change stays."""
    if routing.carrier_state == "released":
        return routing
    state = carrier.SUCCEEDED.get((action, routing.carrier_state), routing.carrier_state)
    moved = carrier.moved(routing.carrier_state, state)
    applied = _applied(routing.applied, action, asked)
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
    return take_effect(replace(routing, out=None), order.action, order.asked)


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


def _applied(before: Applied, action: CarrierAction, asked: Asked) -> Applied:
    if action == "activate":
        return Applied(voice=asked.voice, capacity=asked.capacity, sms=asked.sms)
    if action == "set_voice":
        return replace(before, voice=asked.voice)
    if action == "set_capacity":
        return replace(before, capacity=asked.capacity)
    if action == "set_sms":
        return replace(before, sms=asked.sms)
    return Applied() if action == "release" else before
