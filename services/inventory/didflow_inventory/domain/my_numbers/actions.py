"""What the caller may do with a DID now: one closed table over the axes of the DID and the caller's role.

It is for showing. The service that owns the axis decides, and can know more. The lines of inventory's own axis are
the rules of its decisions. A test compares the table with the decisions of all services, in random conditions.
Source: spec roles, `actions` of a DID.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, get_args

from didflow_chassis.decision import Caller
from didflow_contracts.roles import Action, may
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_inventory.domain.holding import Holding, Stock
from didflow_inventory.domain.holding.rules import HERE, HoldingAction, refusal_of_action
from didflow_inventory.domain.my_numbers.condition import TAKES_CALLS
from didflow_inventory.domain.views import RUNNING, RegistrationView, ServiceView, Views

OfferedAction = Literal[
    "assign_end_user",
    "set_cycles",
    "renew",
    "restore",
    "cancel",
    "remove",
    "set_voice",
    "set_capacity",
    "set_sms",
    "apply_profile",
    "clear_routing",
    "edit",
    "assign_account",
    "assign_user",
    "take_back",
    "hold",
    "block",
    "unhold",
    "unblock",
    "port_out",
    "return",
    "cancel_porting",
    "request_emergency",
    "request_a2p_sms",
    "request_cnam",
    "correct_emergency",
    "correct_a2p_sms",
    "cancel_emergency",
    "cancel_a2p_sms",
    "cancel_cnam",
    "retry_carrier",
]
Rule = Callable[[Holding, Views], bool]

LIVE: Final[frozenset[Stock]] = frozenset(("assigned", "blocked", "on_hold"))
RENEWABLE: Final = RUNNING | {"aging"}
REMOVABLE: Final = frozenset(("awaiting", "rejected", "pending"))
SERVED: Final = frozenset(("approved", "pending", "not_required"))
CANCELABLE: Final[frozenset[ServiceState]] = frozenset(get_args(ServiceState)) - {
    "not_configured",
    "cancelation_pending",
}
SERVICES: Final[frozenset[AdditionalService]] = frozenset(get_args(AdditionalService))


def _is_running(holding: Holding, views: Views) -> bool:
    return holding.stock in LIVE and views.term.state in RUNNING


def _takes_end_user(holding: Holding, views: Views) -> bool:
    """Details are needed for the registration, or for an additional service of the number."""
    registration = views.registration
    if holding.stock not in HERE or not registration.is_answered:
        return False
    return registration.state != "not_required" or not SERVICES.isdisjoint(holding.features)


def _can_be_canceled(holding: Holding, views: Views) -> bool:
    return _is_running(holding, views) and views.registration.is_answered


def _can_be_removed(holding: Holding, views: Views) -> bool:
    registration = views.registration
    is_incomplete = not registration.completed and registration.state in REMOVABLE
    return is_incomplete and _can_be_canceled(holding, views)


def _takes_routing(features: frozenset[str], holding: Holding, views: Views) -> bool:
    is_routable = holding.stock in HERE and views.routing.carrier_state != "released"
    return is_routable and not features.isdisjoint(holding.features)


def _is_routed(holding: Holding, views: Views) -> bool:
    routing = views.routing
    is_set = (routing.voice, routing.capacity, routing.capacity_group, routing.sms) != (None,) * 4
    return holding.stock in HERE and is_set


def _can_retry(holding: Holding, views: Views) -> bool:
    routing = views.routing
    has_failed = routing.carrier_state == "failed" or any(
        each.state == "failed" for each in routing.unapplied
    )
    return holding.stock in LIVE and has_failed


def _state_of(service: AdditionalService, views: Views) -> ServiceState:
    return views.services.get(service, ServiceView()).state


def _can_request(service: AdditionalService, holding: Holding, views: Views) -> bool:
    if holding.stock not in LIVE or service not in holding.features:
        return False
    return _state_of(service, views) == "not_configured" and _has_end_user(views.registration)


def _has_end_user(registration: RegistrationView) -> bool:
    return registration.is_answered and registration.identity_id is not None and registration.state in SERVED


def _can_correct(service: AdditionalService, _holding: Holding, views: Views) -> bool:
    return _state_of(service, views) == "changes_required"


def _can_cancel_service(service: AdditionalService, _holding: Holding, views: Views) -> bool:
    return _state_of(service, views) in CANCELABLE


_takes_calls: Final[Rule] = partial(_takes_routing, TAKES_CALLS)
_takes_messages: Final[Rule] = partial(_takes_routing, frozenset(("sms_in",)))

OF_OTHER_AXES: Final[Mapping[OfferedAction, tuple[Action, Rule]]] = MappingProxyType(
    {
        "assign_end_user": ("assign_end_user", _takes_end_user),
        "set_cycles": ("change_terms", _is_running),
        "renew": ("change_terms", lambda h, v: h.stock in LIVE and v.term.state in RENEWABLE),
        "restore": ("change_terms", lambda h, v: h.stock in LIVE and v.term.state == "canceled"),
        "cancel": ("change_terms", _can_be_canceled),
        "remove": ("change_terms", _can_be_removed),
        "set_voice": ("manage_routing", _takes_calls),
        "set_capacity": ("manage_routing", _takes_calls),
        "set_sms": ("manage_routing", _takes_messages),
        "apply_profile": ("manage_routing", lambda h, v: _takes_calls(h, v) or _takes_messages(h, v)),
        "clear_routing": ("manage_routing", _is_routed),
        "request_emergency": ("request_service", partial(_can_request, "emergency")),
        "request_a2p_sms": ("request_service", partial(_can_request, "a2p_sms")),
        "request_cnam": ("request_service", partial(_can_request, "cnam")),
        "correct_emergency": ("request_service", partial(_can_correct, "emergency")),
        "correct_a2p_sms": ("request_service", partial(_can_correct, "a2p_sms")),
        "cancel_emergency": ("request_service", partial(_can_cancel_service, "emergency")),
        "cancel_a2p_sms": ("request_service", partial(_can_cancel_service, "a2p_sms")),
        "cancel_cnam": ("request_service", partial(_can_cancel_service, "cnam")),
        "retry_carrier": ("retry_carrier", _can_retry),
    }
)
"""Action -> the permission that it needs, and the condition on the axes of the DID."""

WHEN: Final[Mapping[OfferedAction, str]] = MappingProxyType(
    {
        "assign_end_user": "here; registration answered, and not `not_required` unless a service is a feature",
        "set_cycles": "live; term running",
        "renew": "live; term running or `aging`",
        "restore": "live; term `canceled`",
        "cancel": "live; term running; registration answered",
        "remove": "as `cancel`; registration never completed, and `awaiting`, `rejected` or `pending`",
        "set_voice": "here; feature `voice_in` or `fax`; carrier not `released`",
        "set_capacity": "as `set_voice`",
        "set_sms": "here; feature `sms_in`; carrier not `released`",
        "apply_profile": "as `set_voice` or `set_sms`",
        "clear_routing": "here; voice, capacity or SMS is set",
        "edit": "here; features and carriers only while it has no user",
        "assign_account": "`assigned`; no user; term not ended",
        "assign_user": "`assigned`; an enterprise holds it",
        "take_back": "`assigned`; no user; an account below the caller's holds it",
        "hold": "`assigned` or `blocked`",
        "block": "`assigned`",
        "unhold": "`on_hold`, by hand",
        "unblock": "`blocked` by the caller's account or one below",
        "port_out": "live",
        "return": "live; origin `stock`; no user",
        "cancel_porting": "`porting_in`",
        "request_emergency": "live; a feature; `not_configured`; an identity; registration `approved`, `pending` or "
        "`not_required`",
        "request_a2p_sms": "as `request_emergency`",
        "request_cnam": "as `request_emergency`",
        "correct_emergency": "`changes_required`",
        "correct_a2p_sms": "`changes_required`",
        "cancel_emergency": "neither `not_configured` nor `cancelation_pending`",
        "cancel_a2p_sms": "as `cancel_emergency`",
        "cancel_cnam": "as `cancel_emergency`",
        "retry_carrier": "live; carrier `failed`, or a carrier command has failed for good",
    }
)
"""Action -> the condition of the DID in words, for the page of roles."""

OWN_ACTIONS: Final[Mapping[str, HoldingAction]] = MappingProxyType(
    {name: name for name in get_args(HoldingAction)}
)
"""The actions on the axis of inventory. Their permissions have the same names, their conditions are in `RULES`."""

ACTIONS: Final[tuple[OfferedAction, ...]] = get_args(OfferedAction)


def permission_of(action: OfferedAction) -> Action:
    """Return the action of the table of roles that a caller needs."""
    other = OF_OTHER_AXES.get(action)
    return OWN_ACTIONS[action] if other is None else other[0]


def actions_of(holding: Holding, views: Views, caller: Caller) -> tuple[OfferedAction, ...]:
    """Return what a caller may do with a DID now, in the order of the table."""
    if not caller.reaches(holding.account):
        return ()
    return tuple(action for action in ACTIONS if is_offered(action, holding, views, caller))


def is_offered(action: OfferedAction, holding: Holding, views: Views, caller: Caller) -> bool:
    """Return True if an action is offered: the role may do it, and its line of the table holds."""
    if not may(caller.role, permission_of(action)):
        return False
    other = OF_OTHER_AXES.get(action)
    if other is not None:
        return other[1](holding, views)
    return refusal_of_action(OWN_ACTIONS[action], holding, views, caller) is None
