"""Whether calls and messages reach the customer, and the first thing that is missing for each channel.

The order of what is missing is that of `next_step`. Source: spec lifecycle, Configured and next_step.
"""

from typing import Final

from didflow_contracts.vocabulary import CarrierState, Channels, NextAction, Registration
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.wanted import is_registered

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


def wants_voice(routing: Routing) -> bool:
    """Say whether the number is to take calls."""
    return not _VOICE.isdisjoint(routing.features)


def wants_sms(routing: Routing) -> bool:
    """Say whether the number is to take messages."""
    return "sms_in" in routing.features


def is_sufficient(capacity: Channels | None) -> bool:
    """Say whether a capacity lets one call through: null and 0 do not."""
    return capacity == "unlimited" or (capacity is not None and capacity >= 1)


def missing_for_voice(routing: Routing) -> NextAction | None:
    """Name the first thing that inbound voice lacks; None when it is ready or not wanted."""
    if not _is_asked(routing, wants_voice(routing)):
        return None
    first = _missing_for_any(routing)
    if first:
        return first
    if routing.voice is None:
        return "assign_voice_trunk"
    if not is_sufficient(routing.capacity):
        return "assign_capacity"
    applied = routing.applied
    return None if applied.voice is not None and is_sufficient(applied.capacity) else "await_carrier"


def missing_for_sms(routing: Routing) -> NextAction | None:
    """Name the first thing that inbound SMS lacks; None when it is ready or not wanted. It needs no capacity."""
    if not _is_asked(routing, wants_sms(routing)):
        return None
    first = _missing_for_any(routing)
    if first:
        return first
    if routing.sms is None:
        return "assign_sms_trunk"
    return None if routing.applied.sms is not None else "await_carrier"


def is_voice_ready(routing: Routing) -> bool:
    """Say whether inbound calls reach the customer."""
    return _is_asked(routing, wants_voice(routing)) and missing_for_voice(routing) is None


def is_sms_ready(routing: Routing) -> bool:
    """Say whether inbound messages reach the customer."""
    return _is_asked(routing, wants_sms(routing)) and missing_for_sms(routing) is None


def _is_asked(routing: Routing, is_wanted: bool) -> bool:
    return is_wanted and routing.ended is None and routing.carrier_state != "released"


def _missing_for_any(routing: Routing) -> NextAction | None:
    if routing.stock == "porting_in":
        return "await_porting"
    ended = _TERM.get(routing.term or "") or _STOCK.get(routing.stock or "")
    if ended:
        return ended
    if routing.registration is not None and not is_registered(routing):
        return _REGISTRATION[routing.registration]
    return _CARRIER.get(routing.carrier_state)
