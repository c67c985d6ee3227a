"""Changes of a DID's routing that callers request over HTTP, and the retry of a failed carrier command.

Settings made before the activation reach the carrier with it. Later settings are sent as commands of their own.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.names import NO_DID
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.capacity.reservations import with_capacity
from didflow_provisioning.domain.commands import (
    ClearRouting,
    RetryCarrierCommand,
    RoutingCommand,
    SetCapacity,
    SetSms,
    SetVoice,
)
from didflow_provisioning.domain.effects import without_stale_failures
from didflow_provisioning.domain.number_context import decided, load_context, send_next
from didflow_provisioning.domain.readiness import needs_sms, needs_voice
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.targets.sms_trunks import sms_setting
from didflow_provisioning.domain.targets.voice_targets import voice_setting
from didflow_provisioning.domain.timing import Timings

NOT_FOUND = Refused("not_found", NO_DID)
NO_CALLS = Refused("not_supported", "The number takes no calls: it has neither voice_in nor fax.")
NO_MESSAGES = Refused("not_supported", "The number takes no messages: it has no sms_in.")


def set_voice(
    routing: Routing | None, command: SetVoice, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Deliver calls to a trunk or to a trunk group. Setting one clears the other.

    Refused `not_supported` if the number takes no calls. Refused `voice_trunk_not_found` or
    `voice_trunk_group_not_found` if the target does not serve the DID's account.
    """
    if routing is None or not may_change(routing, command):
        return NOT_FOUND
    if not needs_voice(routing):
        return NO_CALLS
    return with_voice(routing, command, now, known, timings=timings)


def with_voice(
    routing: Routing, command: SetVoice, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Return the decision that delivers calls to a target. Refused if it does not serve the DID's account."""
    voice = voice_setting(command, routing.account, known)
    if isinstance(voice, Refused):
        return voice
    return changed(routing, replace(routing, voice=voice), command, now, known, timings=timings)


def set_sms(
    routing: Routing | None, command: SetSms, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Deliver messages to an SMS trunk.

    Refused `not_supported` if the number takes no messages, and `sms_trunk_not_found` if the trunk does not serve the
    DID's account.
    """
    if routing is None or not may_change(routing, command):
        return NOT_FOUND
    if not needs_sms(routing):
        return NO_MESSAGES
    return with_sms(routing, command, now, known, timings=timings)


def with_sms(routing: Routing, command: SetSms, now: datetime, known: Known, *, timings: Timings) -> Decision:
    """Return the decision that delivers messages to an SMS trunk. Refused `sms_trunk_not_found`."""
    sms = sms_setting(command.sms_trunk_id, routing.account, known)
    if isinstance(sms, Refused):
        return sms
    return changed(routing, replace(routing, sms=sms), command, now, known, timings=timings)


def set_capacity(
    routing: Routing | None, command: SetCapacity, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Set the number of concurrent calls, or reserve channels of a capacity group.

    Channels of its own end a DID's membership of a group. Refused `not_supported` if the number takes no calls,
    `capacity_group_not_found` and `capacity_exhausted`.
    """
    if routing is None or not may_change(routing, command):
        return NOT_FOUND
    if not needs_voice(routing):
        return NO_CALLS
    after = with_capacity(routing, command.capacity, command.capacity_group_id, known)
    if isinstance(after, Refused):
        return after
    return changed(routing, after, command, now, known, timings=timings)


def clear_routing(
    routing: Routing | None, command: ClearRouting, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Remove the voice target, the capacity and the SMS target. The DID uses no profile any more."""
    if routing is None or not may_change(routing, command):
        return NOT_FOUND
    return changed(routing, routing.cleared(), command, now, known, timings=timings)


def retry_carrier_command(
    routing: Routing | None, command: RetryCarrierCommand, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Send a new command in place of one that failed for good. Refused `not_failed` for any other command.

    The answer is the id of the new command. The command is sent later if another command of the number is open, if its
    carrier has turns, or if calls must not flow. Until it is sent, the same retry is unchanged and has the same answer.
    """
    if routing is None or not command.caller.reaches(routing.account):
        return NOT_FOUND
    failed = next((f for f in routing.failures if f.command_id == command.command_id), None)
    if failed is None:
        return Refused(
            "not_failed",
            "This command has not failed for good, or its action is not wanted any more. Nothing needs a retry.",
        )
    if failed.retry_id is not None:
        return Unchanged(answer=failed.retry_id)
    retried = replace(failed, retry_id=command.next_command_id)
    failures = tuple(retried if f is failed else f for f in routing.failures)
    decision = _sent(routing, replace(routing, failures=failures), command, now, known, timings=timings)
    return replace(decision, answer=command.next_command_id) if isinstance(decision, Decided) else decision


def may_change(routing: Routing, command: RoutingCommand) -> bool:
    """Return True if the DID is live and in the caller's reach."""
    return (
        routing.end_reason is None and routing.stock != "removed" and command.caller.reaches(routing.account)
    )


def changed(
    before: Routing, after: Routing, command: RoutingCommand, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Apply new settings. The failures of changed settings are removed, so the new ones are sent."""
    if after == before:
        return Unchanged()
    is_changed: dict[CarrierAction, bool] = {
        "set_voice": after.voice != before.voice,
        "set_capacity": after.capacity != before.capacity,
        "set_sms": after.sms != before.sms,
    }
    failures = tuple(f for f in after.failures if not is_changed.get(f.action))
    return _sent(
        before,
        without_stale_failures(replace(after, failures=failures)),
        command,
        now,
        known,
        timings=timings,
    )


def _sent(
    before: Routing, after: Routing, command: RoutingCommand, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    context = load_context(before, known, command.next_command_id, timings)
    return decided(context, send_next(context.with_routing(after), now), before.did_id)
