"""What is wanted of the carrier, and which orders lead there. Everything else in provisioning serves this.

Pure functions of the routing alone: time has already been settled into it.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from didflow_contracts.vocabulary import CarrierAction, CarrierState, Registration
from didflow_provisioning.domain.routing import Routing

Wanted: TypeAlias = Literal["active", "suspended", "released"]

REGISTERED: Final[frozenset[Registration]] = frozenset(("approved", "not_required"))
_AT_THE_CARRIER: Final = frozenset(("active", "suspended"))
_TOWARDS: Final[Mapping[Wanted, Mapping[CarrierState, CarrierAction]]] = {
    "active": {"inactive": "activate", "failed": "activate", "suspended": "resume"},
    "suspended": {"active": "suspend"},
    "released": {
        "activating": "release",
        "failed": "release",
        "active": "release",
        "suspended": "release",
    },
}
"""What is wanted, and where the number is -> the order that leads there; none where nothing is listed."""


def is_registered(routing: Routing) -> bool:
    """Say whether the registration counts: done, or lapsed with its grace still running."""
    return routing.registration in REGISTERED or routing.due_at is not None


def halt(routing: Routing) -> str | None:
    """Name what keeps calls and messages from flowing; None when nothing does."""
    if routing.term in ("canceled", "aging"):
        return routing.term
    if routing.stock in ("blocked", "on_hold"):
        return routing.stock
    return None if is_registered(routing) else "registration"


def wanted(routing: Routing) -> Wanted | None:
    """Return the carrier state that is wanted. Source: spec lifecycle, Carrier.

    None between the first word of an end and `did.removed`, which settles it: then nothing is ordered.
    """
    if routing.ended is not None:
        return "released"
    if routing.stock == "removed" or routing.term == "closed":
        return None
    return "suspended" if halt(routing) else "active"


def carrier_of(routing: Routing, action: CarrierAction) -> str | None:
    """Return which carrier an order goes to; None where the number has none.

    A number that was ordered from a carrier stays with it until another activation or its release.
    """
    if action == "activate":
        return routing.carrier or routing.sms_carrier
    if action == "set_sms":
        return routing.sms_carrier or routing.served_by
    return routing.served_by


def called_for(routing: Routing) -> tuple[CarrierAction, ...]:
    """List the orders between what is known and what is wanted, first first; failures are not looked at."""
    want = wanted(routing)
    if not routing.confirmed or want is None:
        return ()
    carrier = _carrier_action(routing, want)
    settings = _settings(routing) if want != "released" else ()
    named = (*((carrier,) if carrier else ()), *settings)
    return tuple(action for action in named if carrier_of(routing, action))


def wishes(routing: Routing) -> tuple[CarrierAction, ...]:
    """List the orders to be sent: those called for that have not failed for good."""
    failed = {failure.action for failure in routing.failures}
    return tuple(action for action in called_for(routing) if action not in failed)


def _carrier_action(routing: Routing, want: Wanted) -> CarrierAction | None:
    return _TOWARDS[want].get(routing.carrier_state)


def _settings(routing: Routing) -> tuple[CarrierAction, ...]:
    if routing.carrier_state not in _AT_THE_CARRIER:
        return ()
    differs: tuple[tuple[CarrierAction, bool], ...] = (
        ("set_voice", routing.voice_delivery != routing.applied.voice),
        ("set_capacity", routing.capacity != routing.applied.capacity),
        ("set_sms", routing.sms_delivery != routing.applied.sms),
    )
    return tuple(action for action, is_due in differs if is_due)
