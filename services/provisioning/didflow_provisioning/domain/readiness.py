"""Whether calls and messages reach the customer, and the first missing step of each channel.

Missing steps are checked in the order of `next_step`. Source: spec lifecycle, Configured and next_step.
"""

from typing import Final

from didflow_contracts.vocabulary import CarrierState, Channels, NextAction, Registration
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.wanted_actions import is_registered

_VOICE: Final = frozenset(("voice_in", "fax"))
_TERM: Final[dict[str, NextAction]] = {"canceled": "restore", "aging": "renew"}
_STOCK: Final[dict[str, NextAction]] = {"blocked": "unblock", "on_hold": "await_hold_end"}
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
    "suspended": "await_carrier",
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
    return None if applied.voice is not None and is_sufficient(applied.capacity) else "await_carrier"


def missing_for_sms(routing: Routing) -> NextAction | None:
    """Return the first missing step of inbound SMS. None if it is ready or not needed. SMS needs no capacity."""
    if not _is_needed(routing, needs_sms(routing)):
        return None
    first = _missing_for_any_channel(routing)
    if first:
        return first
    if routing.sms is None:
        return "assign_sms_trunk"
    return None if routing.applied.sms is not None else "await_carrier"


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
    suspended = _TERM.get(routing.term or "") or _STOCK.get(routing.stock or "")
    if suspended:
        return suspended
    if routing.registration is not None and not is_registered(routing):
        return _REGISTRATION[routing.registration]
    return _CARRIER.get(routing.carrier_state)
