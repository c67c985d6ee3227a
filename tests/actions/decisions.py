"""The way of a command through its service, without a database: the role of the route, then the decision."""

from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, Final

from actions.attempts import ATTEMPTS
from actions.conditions import Condition
from actions.estate import ZERO

from didflow.services import service
from didflow_chassis.decision import (
    Caller,
    Command,
    Decided,
    Decision,
    Known,
    Refused,
    TooEarly,
    Unchanged,
)
from didflow_chassis.http import routers_of
from didflow_chassis.http.problems import Problem
from didflow_chassis.http.routes import Route, check_role
from didflow_chassis.service import Handler, Service
from didflow_contracts.topics import SERVICES
from didflow_inventory.domain.my_numbers.actions import OfferedAction

SERVICE: Final[Mapping[str, Service]] = {name: service(name) for name in SERVICES}
STATE_OF: Final[Mapping[str, Callable[[Condition], Any]]] = {
    "inventory": lambda condition: condition.did,
    "verification": lambda condition: condition.registration,
    "billing": lambda condition: condition.term,
    "provisioning": lambda condition: condition.routing,
}
HANDLERS: Final[Mapping[type[Command], Handler]] = {
    command: handler for each in SERVICE.values() for command, handler in each.commands.items()
}
_COMPUTED: Final[dict[Hashable, Any]] = {}


@cache
def routes_of(name: str) -> Mapping[str, Route]:
    """Return the POST routes of a service by their paths."""
    routes = (route for router in routers_of(SERVICE[name]) for route in router.routes)
    return {each.path: each for each in routes if isinstance(each, Route) and "POST" in (each.methods or ())}


@cache
def may_call(action: OfferedAction, role: str) -> bool:
    """Return True if the route of an action lets a role pass."""
    attempt = ATTEMPTS[action]
    route = routes_of(attempt.service)[attempt.path]
    try:
        check_role(Caller(subject="ann", account="master", role=role), route.actions)
    except Problem:
        return False
    return True


def decided(action: OfferedAction, condition: Condition, command: Command) -> Decision:
    """Return the decision of the service of an action."""
    state = STATE_OF[ATTEMPTS[action].service](condition)
    return decided_by(HANDLERS[type(command)], state, command, condition)


def decided_by(handler: Handler, state: Any, message: Any, condition: Condition) -> Decision:
    """Return a decision. It knows the states that its handler declares, and no others."""
    if handler.needs is None and handler.state_needs is None:
        return handler.decide(state, message, ZERO)
    known = Known(computed=_COMPUTED)
    if handler.needs is not None:
        _load(known, handler.needs(message), condition)
    if handler.state_needs is not None:
        while _load(known, handler.state_needs(state, message, known), condition):
            pass
    return handler.decide(state, message, ZERO, known)


def _load(known: Known, refs: Any, condition: Condition) -> bool:
    """Load the states that are not known yet. Return True if there was one."""
    before = len(known.states)
    for ref in list(refs):
        known.states.setdefault((ref.model, ref.key), condition.states.get((ref.model, ref.key)))
    return len(known.states) > before


def outcome_of(action: OfferedAction, decision: Decision) -> str:
    """Return `done`, `unchanged`, or the code of the refusal. A removal that only cancels the term is `canceled`."""
    if isinstance(decision, Refused):
        return decision.code
    if action == "remove" and isinstance(decision, Decided) and decision.state.state != "closed":
        return "canceled"
    return {Decided: "done", Unchanged: "unchanged", TooEarly: "not_ready"}[type(decision)]
