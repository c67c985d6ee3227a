"""Builders of the events that provisioning publishes.

The routing axis is built from the routing alone. Equal routings give equal axes, so an axis is published only when
it differs from the previous one.
"""

from datetime import datetime

from didflow_contracts.events import CarrierCommandIssued, DidActivated, RoutingChanged
from didflow_contracts.events.routing import Missing, SmsTarget, Unapplied, VoiceTarget
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.command_content import parameters
from didflow_provisioning.domain.effects import if_open_command_succeeds
from didflow_provisioning.domain.readiness import (
    is_sms_ready,
    is_voice_ready,
    missing_for_sms,
    missing_for_voice,
)
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.wanted_actions import actions_to_send, suspension_reason


def routing_changed(routing: Routing) -> RoutingChanged:
    """Build `routing.changed` with the whole axis. Source: spec events, Topics."""
    voice, sms = routing.voice_delivery, routing.sms_delivery
    return RoutingChanged(
        did_id=routing.did_id,
        number=routing.number,
        account=routing.account,
        carrier=routing.carrier,
        carrier_state=routing.carrier_state,
        reason=_reason(routing),
        voice=VoiceTarget(kind=voice.kind, id=voice.id, name=voice.name) if voice else None,
        capacity=routing.capacity,
        capacity_group=routing.capacity_group.group_id if routing.capacity_group else None,
        sms=SmsTarget(id=sms.id, name=sms.name) if sms else None,
        unapplied=_unapplied(routing),
        voice_ready=is_voice_ready(routing),
        sms_ready=is_sms_ready(routing),
        missing=Missing(voice=missing_for_voice(routing), sms=missing_for_sms(routing)),
    )


def did_activated(axis: RoutingChanged, carrier_reference: str | None, at: datetime) -> DidActivated:
    """Build `did.activated` from the whole axis as it is after the activation."""
    return DidActivated(**dict(axis), carrier_reference=carrier_reference, activated_at=at)


def carrier_command_issued(command: CarrierCommand) -> CarrierCommandIssued:
    """Build `provisioning.commands` for the current attempt of a carrier command."""
    return CarrierCommandIssued(
        did_id=command.did_id,
        number=command.number,
        account=command.account,
        command_id=command.command_id,
        carrier=command.carrier,
        action=command.action,
        parameters=parameters(command.action, command.content),
        attempt=command.attempt,
        deadline=command.deadline,
        give_up_at=command.give_up_at,
    )


def _reason(routing: Routing) -> str | None:
    """Return why the carrier state is failed, suspended or released. Other states have no reason."""
    if routing.carrier_state == "failed":
        return routing.failure_reason
    if routing.carrier_state == "suspended":
        return suspension_reason(routing)
    return routing.end_reason if routing.carrier_state == "released" else None


def _unapplied(routing: Routing) -> tuple[Unapplied, ...]:
    """List what the carrier has not done: the open command, the actions queued behind it, the failed commands."""
    command = routing.open_command
    queued = actions_to_send(if_open_command_succeeds(routing))
    return (
        *((Unapplied(action=command.action, state="out", code=command.code),) if command else ()),
        *(Unapplied(action=action, state="queued") for action in queued),
        *(
            Unapplied(action=f.action, state="failed", code=f.code)
            for f in routing.failures
            if f.retry_id is None
        ),
    )
