"""The routing axis as others hear it, made from the routing alone, so that equal routings say the same."""

from datetime import datetime

from didflow_contracts.events import DidActivated, RoutingChanged
from didflow_contracts.events.routing import Missing, SmsTarget, Unapplied, VoiceTarget
from didflow_provisioning.domain.effects import as_if_done
from didflow_provisioning.domain.readiness import (
    is_sms_ready,
    is_voice_ready,
    missing_for_sms,
    missing_for_voice,
)
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.wanted import halt, wishes


def axis(routing: Routing) -> RoutingChanged:
    """Say the whole axis. Source: spec events, routing.changed."""
    voice, sms = routing.voice_delivery, routing.sms_delivery
    return RoutingChanged(
        did_id=routing.did_id,
        number=routing.number,
        account=routing.account,
        carrier=routing.carrier,
        carrier_state=routing.carrier_state,
        reason=reason(routing),
        voice=VoiceTarget(kind=voice.kind, id=voice.id, name=voice.name) if voice else None,
        capacity=routing.capacity,
        capacity_group=None,
        sms=SmsTarget(id=sms.id, name=sms.name) if sms else None,
        unapplied=unapplied(routing),
        voice_ready=is_voice_ready(routing),
        sms_ready=is_sms_ready(routing),
        missing=Missing(voice=missing_for_voice(routing), sms=missing_for_sms(routing)),
    )


def activation(said: RoutingChanged, carrier_reference: str | None, at: datetime) -> DidActivated:
    """Say that a number went into service, with the whole axis."""
    return DidActivated(**dict(said), carrier_reference=carrier_reference, activated_at=at)


def reason(routing: Routing) -> str | None:
    """Say why the carrier state is what it is: the failure, what halts the number, or its end."""
    if routing.carrier_state == "failed":
        return routing.failed_because
    if routing.carrier_state == "suspended":
        return halt(routing)
    return routing.ended if routing.carrier_state == "released" else None


def unapplied(routing: Routing) -> tuple[Unapplied, ...]:
    """List what the carrier has not carried out: the open order, what waits behind it, what failed."""
    out = routing.out
    return (
        *((Unapplied(action=out.action, state="out", code=out.code),) if out else ()),
        *(Unapplied(action=action, state="queued") for action in wishes(as_if_done(routing))),
        *(Unapplied(action=f.action, state="failed", code=f.code) for f in routing.failures),
    )
