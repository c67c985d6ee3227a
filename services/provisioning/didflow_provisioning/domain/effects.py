"""What a carrier command contains when it is sent, and what its end does to the routing.

Late results have the same effects as timely ones.
"""

from msgspec.structs import replace

from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain import carrier_state
from didflow_provisioning.domain.command_content import CommandContent
from didflow_provisioning.domain.routing import Applied, Failure, OpenCommand, Routing
from didflow_provisioning.domain.wanted_actions import carrier_of, suspension_reason, wanted_actions


def current_content(routing: Routing, action: CarrierAction) -> CommandContent:
    """Return the content of a carrier command that is sent now."""
    # If another carrier handles SMS, the SMS target goes to that carrier with a `set_sms` command.
    is_sms_elsewhere = routing.sms_carrier not in (None, carrier_of(routing, "activate"))
    has_sms = action == "set_sms" or (action == "activate" and not is_sms_elsewhere)
    return CommandContent(
        features=routing.features,
        voice=routing.voice_delivery,
        voice_account=routing.voice.endpoints_account or routing.voice.account if routing.voice else None,
        capacity=routing.capacity,
        sms=routing.sms_delivery if has_sms else None,
        sms_account=routing.sms.account if routing.sms and has_sms else None,
        keep=_stays_ours(routing),
        reason=routing.end_reason or suspension_reason(routing),
    )


def _stays_ours(routing: Routing) -> bool:
    """Return True for a number that is in our stock again. One that was ported out has left with its customer.

    Source: spec events, `provisioning.commands`.
    """
    return routing.origin == "stock" and routing.end_reason != "ported_out"


def with_open_command(routing: Routing, command: OpenCommand, carrier: str) -> Routing:
    """Return the routing after a carrier command was sent."""
    state = carrier_state.WHEN_SENT.get((command.action, routing.carrier_state), routing.carrier_state)
    return replace(
        routing,
        carrier_state=carrier_state.transition(routing.carrier_state, state),
        served_by=carrier if command.action == "activate" else routing.served_by,
        open_command=command,
    )


def after_success(routing: Routing, action: CarrierAction, content: CommandContent) -> Routing:
    """Return the routing after the carrier carried out a command. A released routing stays as it is."""
    if routing.carrier_state == "released":
        return routing
    state = carrier_state.WHEN_SUCCEEDED.get((action, routing.carrier_state), routing.carrier_state)
    state = carrier_state.transition(routing.carrier_state, state)
    applied = _applied(routing.applied, action, content)
    return without_stale_failures(replace(routing, carrier_state=state, applied=applied))


def after_failure(routing: Routing, failure: Failure, reason: str) -> Routing:
    """Return the routing after a command failed for good. `reason` explains a failed activation."""
    state = carrier_state.WHEN_FAILED.get((failure.action, routing.carrier_state), routing.carrier_state)
    failures = (*(f for f in routing.failures if f.action != failure.action), failure)
    failed = replace(
        routing,
        carrier_state=carrier_state.transition(routing.carrier_state, state),
        failure_reason=reason if state == "failed" else routing.failure_reason,
        failures=failures,
    )
    return without_stale_failures(failed)


def if_open_command_succeeds(routing: Routing) -> Routing:
    """Return the routing as it will be if the open carrier command succeeds. Without one it stays as it is."""
    command = routing.open_command
    if command is None:
        return routing
    return after_success(replace(routing, open_command=None), command.action, command.content)


def without_stale_failures(routing: Routing) -> Routing:
    """Remove the failures of actions that are not wanted any more. A failed activation stays until it is retried."""
    if not routing.failures:
        return routing
    wanted = wanted_actions(if_open_command_succeeds(routing))
    awaits_retry = routing.carrier_state == "failed" and routing.end_reason is None
    failures = tuple(
        f for f in routing.failures if f.action in wanted or (awaits_retry and f.action == "activate")
    )
    return replace(routing, failures=failures)


def _applied(before: Applied, action: CarrierAction, content: CommandContent) -> Applied:
    if action == "activate":
        return Applied(voice=content.voice, capacity=content.capacity, sms=content.sms)
    if action == "set_voice":
        return replace(before, voice=content.voice)
    if action == "set_capacity":
        return replace(before, capacity=content.capacity)
    if action == "set_sms":
        return replace(before, sms=content.sms)
    return Applied() if action == "release" else before
