"""The carrier state that is wanted, and the actions that lead to it. All of provisioning follows from these rules.

Pure functions of the routing alone. The routing already reflects the time: due timers are decided first.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from didflow_contracts.vocabulary import CarrierAction, CarrierState, Registration
from didflow_provisioning.domain.routing import Routing

WantedState: TypeAlias = Literal["active", "suspended", "released"]

REGISTERED: Final[frozenset[Registration]] = frozenset(("approved", "not_required"))
_CONFIGURABLE_STATES: Final = frozenset(("active", "suspended"))
_ACTIONS: Final[Mapping[WantedState, Mapping[CarrierState, CarrierAction]]] = {
    "active": {"inactive": "activate", "failed": "activate", "suspended": "resume"},
    "suspended": {"active": "suspend"},
    "released": {
        "activating": "release",
        "failed": "release",
        "active": "release",
        "suspended": "release",
    },
}
"""Wanted state -> current state -> the action that leads from one to the other. Other pairs need no action."""


def is_registered(routing: Routing) -> bool:
    """Return True if the registration is done, or has lapsed and its grace period still runs."""
    return routing.registration in REGISTERED or routing.due_at is not None


def suspension_reason(routing: Routing) -> str | None:
    """Return why calls and messages must not flow, or None if they may."""
    if routing.term in ("canceled", "aging"):
        return routing.term
    if routing.stock in ("blocked", "on_hold"):
        return routing.stock
    return None if is_registered(routing) else "registration"


def wanted_state(routing: Routing) -> WantedState | None:
    """Return the carrier state that is wanted. Source: spec lifecycle, Carrier.

    None if stock or term say that the DID ends but `did.removed` has not arrived. Then no command is sent.
    """
    if routing.end_reason is not None:
        return "released"
    if routing.stock == "removed" or routing.term == "closed":
        return None
    return "suspended" if suspension_reason(routing) else "active"


def carrier_of(routing: Routing, action: CarrierAction) -> str | None:
    """Return the carrier that a command with this action goes to, or None if there is none.

    A number stays with the carrier that activated it until it is activated again or released.
    """
    if action == "activate":
        return routing.carrier or routing.sms_carrier
    if action == "set_sms":
        return routing.sms_carrier or routing.served_by
    return routing.served_by


def wanted_actions(routing: Routing) -> tuple[CarrierAction, ...]:
    """List the actions that lead to what is wanted, in the order in which they are sent.

    Actions that failed for good are included.
    """
    state = wanted_state(routing)
    if not routing.confirmed or state is None:
        return ()
    action = _ACTIONS[state].get(routing.carrier_state)
    settings = _setting_actions(routing) if state != "released" else ()
    actions = (*((action,) if action else ()), *settings)
    return tuple(action for action in actions if carrier_of(routing, action))


def actions_to_send(routing: Routing) -> tuple[CarrierAction, ...]:
    """List the wanted actions without those that failed for good and were not retried by hand."""
    failed = {failure.action for failure in routing.failures if failure.retry_id is None}
    return tuple(action for action in wanted_actions(routing) if action not in failed)


def _setting_actions(routing: Routing) -> tuple[CarrierAction, ...]:
    """List the settings that differ from what the carrier has applied."""
    if routing.carrier_state not in _CONFIGURABLE_STATES:
        return ()
    differs: tuple[tuple[CarrierAction, bool], ...] = (
        ("set_voice", routing.voice_delivery != routing.applied.voice),
        ("set_capacity", routing.capacity != routing.applied.capacity),
        ("set_sms", routing.sms_delivery != routing.applied.sms),
    )
    return tuple(action for action, is_different in differs if is_different)
