"""Decisions on the results of carriers. A late success counts. After it, the wanted state is restored."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import ResultReported
from didflow_contracts.ownership import contradicts_carrier, contradicts_owner
from didflow_provisioning.domain.carrier_command import CarrierCommand, closed, next_command_id, waiting
from didflow_provisioning.domain.effects import after_failure, after_success
from didflow_provisioning.domain.number_context import (
    Activation,
    NumberContext,
    decided,
    load_context,
    send_next,
)
from didflow_provisioning.domain.routing import Failure, Routing
from didflow_provisioning.domain.timing import Timings

DEFAULT_CODE = "failed"


def on_result(
    routing: Routing | None, event: Event[ResultReported], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Apply the result of a carrier command.

    Refused: `command_unknown`, and `not_yours` if the result names another account or comes from an adapter of
    another carrier.
    """
    data = event.data
    command = known.get(CarrierCommand, data.command_id)
    if routing is None or command is None or not _is_about(command, data):
        return Refused(
            "command_unknown", "No carrier command of this DID has this id. Send the id as received."
        )
    # The adapter returns the account that the command named. The DID may have a new holder since then.
    if contradicts_owner(event, routing.account) and contradicts_owner(event, command.account):
        return Refused(
            "not_yours",
            "The DID belongs to another account. Send the account that the command named.",
            field="account",
        )
    if contradicts_carrier(event, command.carrier):
        return Refused("not_yours", "The command was sent to another carrier.", field="command_id")
    context = load_context(routing, known, next_command_id(event), timings, with_other_dids=True)
    command = replace(command, answered_at=now)
    if data.outcome == "succeeded":
        return _on_success(context, routing, command, data, now)
    if not command.is_open:
        return Unchanged()
    if data.retryable and _is_outdated(command, data):
        return _noted(context, command, routing)
    if data.retryable:
        return _on_retryable_failure(context, routing, command, data, now)
    after = with_failed(context, command, now, code=data.code or DEFAULT_CODE, message=data.message)
    return decided(context, send_next(after, now), routing.did_id)


def is_superseded(routing: Routing, command: CarrierCommand) -> bool:
    """Return True if a release replaces further attempts at this command, or has succeeded meanwhile.

    Source: spec lifecycle, Carrier.
    """
    if routing.carrier_state == "released":
        return True
    return routing.end_reason is not None and command.action != "release"


def with_failed(
    context: NumberContext, command: CarrierCommand, now: datetime, *, code: str, message: str | None
) -> NumberContext:
    """Return the context after an open command failed for good."""
    routing = _without_open_command(context.routings[command.did_id], command)
    failure = Failure(command_id=command.command_id, action=command.action, code=code)
    reason = f"{code}: {message}" if message else code
    failed = closed(command, "failed", now, code=code, message=message)
    return context.with_routing(after_failure(routing, failure, reason)).with_command(failed)


def with_superseded(context: NumberContext, command: CarrierCommand, now: datetime) -> NumberContext:
    """Return the context after a command was given up because its DID will be released."""
    routing = _without_open_command(context.routings[command.did_id], command)
    return context.with_routing(routing).with_command(closed(command, "superseded", now))


def with_waiting(context: NumberContext, command: CarrierCommand) -> NumberContext:
    """Return the context with a command that waits for its next attempt. The routing shows its failure code."""
    return context.with_command(command).with_code(command, command.code)


def _is_about(command: CarrierCommand, data: ResultReported) -> bool:
    return command.did_id == data.did_id and command.number == data.number


def _is_outdated(command: CarrierCommand, data: ResultReported) -> bool:
    """Return True if a retryable failure belongs to an earlier attempt or is already being waited for."""
    is_earlier = data.attempt is not None and data.attempt < command.attempt
    return is_earlier or (command.state == "waiting" and command.code == (data.code or DEFAULT_CODE))


def _on_success(
    context: NumberContext, routing: Routing, command: CarrierCommand, data: ResultReported, now: datetime
) -> Decision:
    if command.state == "succeeded":
        return Unchanged()
    failures = tuple(f for f in routing.failures if f.command_id != command.command_id)
    before = replace(_without_open_command(routing, command), failures=failures)
    succeeded = after_success(before, command.action, command.content)
    done = closed(command, "succeeded", now, carrier_reference=data.carrier_reference)
    after = context.with_routing(succeeded).with_command(done)
    was_activated = routing.carrier_state in ("activating", "failed") and succeeded.carrier_state == "active"
    if was_activated and succeeded.end_reason is None:
        activation = Activation(
            did_id=routing.did_id,
            carrier_reference=data.carrier_reference,
            at=data.completed_at or now,
        )
        after = replace(after, activation=activation)
    return decided(context, send_next(after, now), routing.did_id)


def _noted(context: NumberContext, command: CarrierCommand, routing: Routing) -> Decision:
    """Note that the carrier has answered an attempt. The answer is too late or known already: nothing else changes."""
    return decided(context, replace(context, commands={command.command_id: command}), routing.did_id)


def _on_retryable_failure(
    context: NumberContext, routing: Routing, command: CarrierCommand, data: ResultReported, now: datetime
) -> Decision:
    if is_superseded(routing, command):
        after = send_next(with_superseded(context, command, now), now)
        return decided(context, after, routing.did_id)
    code = data.code or DEFAULT_CODE
    later = waiting(
        command,
        now,
        context.timings.of(command.carrier),
        code=code,
        message=data.message,
        retry_after_s=data.retry_after_s,
    )
    return decided(context, with_waiting(context, later), routing.did_id)


def _without_open_command(routing: Routing, command: CarrierCommand) -> Routing:
    opened = routing.open_command
    is_open = opened is not None and opened.command_id == command.command_id
    return replace(routing, open_command=None) if is_open else routing
