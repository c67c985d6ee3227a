"""Wishes about a DID's routing: set before activation they go along with it, set later they are ordered."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.commands import Clear, NumberCommand, RetryCommand, SetCapacity, SetVoice
from didflow_provisioning.domain.desk import conclude, laid_out, serve
from didflow_provisioning.domain.effects import pruned
from didflow_provisioning.domain.routing import Routing, Voice
from didflow_provisioning.domain.trunks import VoiceTrunk, reaches

NOT_FOUND = Refused("not_found", "nothing of this name is in the caller's reach")


def set_voice(routing: Routing | None, command: SetVoice, now: datetime, known: Known) -> Decision:
    """Deliver calls to a trunk that serves the DID's account, else `voice_trunk_not_found`."""
    if routing is None or not _is_open_to(routing, command):
        return NOT_FOUND
    trunk = known.get(VoiceTrunk, command.voice_trunk_id)
    if trunk is None or not trunk.serves(routing.account):
        return Refused("voice_trunk_not_found", "no such trunk serves this number", field="voice_trunk_id")
    voice = Voice(account=trunk.account, delivery=trunk.delivery)
    return _wished(routing, replace(routing, voice=voice), command, now, known)


def set_capacity(routing: Routing | None, command: SetCapacity, now: datetime, known: Known) -> Decision:
    """Allow so many concurrent calls."""
    if routing is None or not _is_open_to(routing, command):
        return NOT_FOUND
    return _wished(routing, replace(routing, capacity=command.capacity), command, now, known)


def clear(routing: Routing | None, command: Clear, now: datetime, known: Known) -> Decision:
    """Take all that is set away."""
    if routing is None or not _is_open_to(routing, command):
        return NOT_FOUND
    return _wished(routing, replace(routing, voice=None, capacity=None, sms=None), command, now, known)


def retry(routing: Routing | None, command: RetryCommand, now: datetime, known: Known) -> Decision:
    """Order anew what failed for good, as a new command; `not_failed` for anything else.

    The answer is the new command's id, or None where another of the number's commands is open before it.
    """
    if routing is None or not reaches(command.caller, routing.account):
        return NOT_FOUND
    kept = tuple(f for f in routing.failures if f.command_id != command.command_id)
    if kept == routing.failures:
        return Refused("not_failed", "only a command that failed for good, and is still wanted, is retried")
    outcome = _served(routing, replace(routing, failures=kept), command, now, known)
    if not isinstance(outcome, Decided):
        return outcome
    sent = any(getattr(state, "command_id", None) == command.fresh_id for state in outcome.also)
    return replace(outcome, answer=command.fresh_id if sent else None)


def _is_open_to(routing: Routing, command: NumberCommand) -> bool:
    return routing.ended is None and reaches(command.caller, routing.account)


def _wished(before: Routing, wish: Routing, command: NumberCommand, now: datetime, known: Known) -> Decision:
    if wish == before:
        return Unchanged()
    changed: dict[CarrierAction, bool] = {
        "set_voice": wish.voice != before.voice,
        "set_capacity": wish.capacity != before.capacity,
        "set_sms": wish.sms != before.sms,
    }
    kept = tuple(f for f in wish.failures if not changed.get(f.action))
    return _served(before, pruned(replace(wish, failures=kept)), command, now, known)


def _served(before: Routing, after: Routing, command: NumberCommand, now: datetime, known: Known) -> Decision:
    desk = laid_out(before, known, command.fresh_id)
    return conclude(desk, serve(desk.with_routing(after), now), before.did_id)
