"""Whether calls and messages reach the customer, and the first missing step of each channel.

Missing steps are checked in the order of `next_step`. Source: spec lifecycle, Configured and next_step. Beyond these,
a channel is ready only if the carrier has confirmed its settings. If it has refused one for good, a retry is missing.
"""

from typing import Final

from didflow_contracts.vocabulary import CarrierAction, CarrierState, Channels, NextAction, Registration
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.wanted_actions import is_registered

_VOICE: Final = frozenset(("voice_in", "fax"))
_TERM: Final[dict[str, NextAction]] = {"canceled": "restore", "aging": "renew"}
_REGISTRATION: Final[dict[Registration, NextAction]] = {
    "awaiting": "assign_end_user_details",
    "rejected": "fix_end_user_details",
    "expired": "fix_end_user_details",
    "pending": "await_review",
}
_CARRIER: Final[dict[CarrierState, NextAction]] = {
    "failed": "retry_carrier",
    "inactive": "await_carrier",
    "activating": "await_carrier",
}


def needs_voice(routing: Routing) -> bool:
    """Return True if the number takes calls."""
    return not _VOICE.isdisjoint(routing.features)


def needs_sms(routing: Routing) -> bool:
    """Return True if the number takes messages."""
    return "sms_in" in routing.features


def is_sufficient(capacity: Channels | None) -> bool:
    """Return True if the capacity allows at least one call. None and 0 do not."""
    return capacity == "unlimited" or (capacity is not None and capacity >= 1)


def missing_for_voice(routing: Routing) -> NextAction | None:
    """Return the first missing step of inbound voice. None if it is ready or not needed."""
    if not _is_needed(routing, needs_voice(routing)):
        return None
    first = _missing_for_any_channel(routing)
    if first:
        return first
    if routing.voice is None:
        return "assign_voice_trunk"
    if not is_sufficient(routing.capacity):
        return "assign_capacity"
    applied = routing.applied
    if applied.voice is None:
        return _awaited(routing, "set_voice")
    return None if is_sufficient(applied.capacity) else _awaited(routing, "set_capacity")


def missing_for_sms(routing: Routing) -> NextAction | None:
    """Return the first missing step of inbound SMS. None if it is ready or not needed. SMS needs no capacity."""
    if not _is_needed(routing, needs_sms(routing)):
        return None
    first = _missing_for_any_channel(routing)
    if first:
        return first
    if routing.sms is None:
        return "assign_sms_trunk"
    return None if routing.applied.sms is not None else _awaited(routing, "set_sms")


def is_voice_ready(routing: Routing) -> bool:
    """Return True if inbound calls reach the customer."""
    return _is_needed(routing, needs_voice(routing)) and missing_for_voice(routing) is None


def is_sms_ready(routing: Routing) -> bool:
    """Return True if inbound messages reach the customer."""
    return _is_needed(routing, needs_sms(routing)) and missing_for_sms(routing) is None


def _is_needed(routing: Routing, needs_channel: bool) -> bool:
    return needs_channel and routing.end_reason is None and routing.carrier_state != "released"


def _missing_for_any_channel(routing: Routing) -> NextAction | None:
    if routing.stock == "porting_in":
        return "await_porting"
    suspended = _TERM.get(routing.term or "") or _missing_for_stock(routing)
    if suspended:
        return suspended
    if routing.registration is not None and not is_registered(routing):
        return _REGISTRATION[routing.registration]
    if routing.registration is None or not routing.confirmed:
        return "await_requirement"
    if routing.carrier_state == "suspended":
        return _awaited(routing, "resume")
    return _CARRIER.get(routing.carrier_state)


def _missing_for_stock(routing: Routing) -> NextAction | None:
    if routing.stock == "blocked":
        return "unblock"
    if routing.stock == "on_hold":
        return "reactivate_package" if routing.held_by == "package" else "await_hold_end"
    return None


def _awaited(routing: Routing, action: CarrierAction) -> NextAction:
    """Return who has to act until the carrier has done this: the carrier, or an operator if it has failed for good."""
    return (
        "retry_carrier"
        if any(f.action == action and f.retry_id is None for f in routing.failures)
        else "await_carrier"
    )
