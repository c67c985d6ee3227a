"""The table `actions` of a DID, line by line as spec roles has it, on the states of the services that own the axes.

It is written a second time here, so that an error in a rule that offer and decision share is found too, and for the
actions whose route is not built yet.
"""

from collections.abc import Callable, Mapping
from typing import Final

from actions.conditions import Condition

from didflow_chassis.decision import Caller
from didflow_contracts.accounts import is_within
from didflow_contracts.roles import Action, may
from didflow_contracts.vocabulary import AdditionalService
from didflow_inventory.domain.my_numbers.actions import OfferedAction

Line = Callable[[Condition, Caller], bool]

LIVE: Final = ("assigned", "blocked", "on_hold")
RUNNING: Final = ("active", "delayed_removal")
ENDED: Final = ("canceled", "aging", "closed")


def _is_live(c: Condition) -> bool:
    return c.holding.stock in LIVE


def _is_here(c: Condition) -> bool:
    return _is_live(c) or c.holding.stock == "porting_in"


def _registration(c: Condition) -> str | None:
    """Return the state of the registration; None until verification has answered."""
    return c.registration.state if c.registration else None


def _service(c: Condition, service: AdditionalService) -> str:
    request = c.requests.get(service)
    return request.state if request else "not_configured"


def _assign_end_user(c: Condition, _caller: Caller) -> bool:
    has_service = bool({"emergency", "a2p_sms", "cnam"} & set(c.holding.features))
    return _is_here(c) and c.registration is not None and (_registration(c) != "not_required" or has_service)


def _cancel(c: Condition, _caller: Caller) -> bool:
    return _is_live(c) and c.term.state in RUNNING and c.registration is not None


def _remove(c: Condition, caller: Caller) -> bool:
    is_open = _registration(c) in ("awaiting", "rejected", "pending")
    return _cancel(c, caller) and not c.term.completed and is_open


def _set_voice(c: Condition, _caller: Caller) -> bool:
    takes_calls = "voice_in" in c.holding.features or "fax" in c.holding.features
    return _is_here(c) and takes_calls and c.routing.carrier_state != "released"


def _set_sms(c: Condition, _caller: Caller) -> bool:
    return _is_here(c) and "sms_in" in c.holding.features and c.routing.carrier_state != "released"


def _clear_routing(c: Condition, _caller: Caller) -> bool:
    routing = c.routing
    is_set = routing.voice is not None or routing.capacity is not None or routing.sms is not None
    return _is_here(c) and is_set


def _assign_account(c: Condition, _caller: Caller) -> bool:
    return c.holding.stock == "assigned" and c.holding.user is None and c.term.state not in ENDED


def _take_back(c: Condition, caller: Caller) -> bool:
    holder = c.holding.account
    is_below = holder != caller.account and is_within(holder, caller.account)
    return c.holding.stock == "assigned" and c.holding.user is None and is_below


def _unblock(c: Condition, caller: Caller) -> bool:
    blocker = c.holding.blocked_by
    return c.holding.stock == "blocked" and blocker is not None and caller.reaches(blocker)


def _retry_carrier(c: Condition, _caller: Caller) -> bool:
    return _is_live(c) and (c.routing.carrier_state == "failed" or bool(c.routing.failures))


def _request(service: AdditionalService) -> Line:
    def line(c: Condition, _caller: Caller) -> bool:
        is_possible = (
            _is_live(c) and service in c.holding.features and _service(c, service) == "not_configured"
        )
        has_identity = c.registration is not None and c.registration.in_force is not None
        return is_possible and has_identity and _registration(c) in ("approved", "pending", "not_required")

    return line


def _correct(service: AdditionalService) -> Line:
    return lambda c, _: _service(c, service) == "changes_required"


def _cancel_service(service: AdditionalService) -> Line:
    return lambda c, _: _service(c, service) not in ("not_configured", "cancelation_pending")


LINES: Final[Mapping[OfferedAction, tuple[Action, Line]]] = {
    "assign_end_user": ("assign_end_user", _assign_end_user),
    "set_cycles": ("change_terms", lambda c, _: _is_live(c) and c.term.state in RUNNING),
    "renew": ("change_terms", lambda c, _: _is_live(c) and c.term.state in (*RUNNING, "aging")),
    "restore": ("change_terms", lambda c, _: _is_live(c) and c.term.state == "canceled"),
    "cancel": ("change_terms", _cancel),
    "remove": ("change_terms", _remove),
    "set_voice": ("manage_routing", _set_voice),
    "set_capacity": ("manage_routing", _set_voice),
    "set_sms": ("manage_routing", _set_sms),
    "apply_profile": ("manage_routing", lambda c, caller: _set_voice(c, caller) or _set_sms(c, caller)),
    "clear_routing": ("manage_routing", _clear_routing),
    "edit": ("edit", lambda c, _: _is_here(c)),
    "assign_account": ("assign_account", _assign_account),
    "assign_user": (
        "assign_user",
        lambda c, _: c.holding.stock == "assigned" and c.holding.in_enterprise,
    ),
    "take_back": ("take_back", _take_back),
    "hold": ("hold", lambda c, _: c.holding.stock in ("assigned", "blocked")),
    "block": ("block", lambda c, _: c.holding.stock == "assigned"),
    "unhold": ("unhold", lambda c, _: c.holding.stock == "on_hold" and c.holding.held_by == "hand"),
    "unblock": ("unblock", _unblock),
    "port_out": ("port_out", lambda c, _: _is_live(c)),
    "return": (
        "return",
        lambda c, _: _is_live(c) and c.holding.origin == "stock" and c.holding.user is None,
    ),
    "cancel_porting": ("cancel_porting", lambda c, _: c.holding.stock == "porting_in"),
    "request_emergency": ("request_service", _request("emergency")),
    "request_a2p_sms": ("request_service", _request("a2p_sms")),
    "request_cnam": ("request_service", _request("cnam")),
    "correct_emergency": ("request_service", _correct("emergency")),
    "correct_a2p_sms": ("request_service", _correct("a2p_sms")),
    "cancel_emergency": ("request_service", _cancel_service("emergency")),
    "cancel_a2p_sms": ("request_service", _cancel_service("a2p_sms")),
    "cancel_cnam": ("request_service", _cancel_service("cnam")),
    "retry_carrier": ("retry_carrier", _retry_carrier),
}
"""Action -> the permission that it needs, and when it is offered."""


def lines_that_hold(condition: Condition, caller: Caller) -> frozenset[OfferedAction]:
    """Return the actions that are to be offered to a caller."""
    if not caller.reaches(condition.holding.account):
        return frozenset()
    return frozenset(
        action
        for action, (permission, holds) in LINES.items()
        if may(caller.role, permission) and holds(condition, caller)
    )
