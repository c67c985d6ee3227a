"""What can be done with a DID now: one rule for each action, for the decision and for what My Numbers offers.

A rule depends on the DID and on the account of the caller alone. Whether the role may do the action is checked
before, by `didflow_contracts.roles`. Source: spec roles, `actions` of a DID.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from didflow_chassis.decision import Caller, Refused
from didflow_contracts.accounts import is_within
from didflow_contracts.names import NO_DID
from didflow_inventory.domain.holding.holding import Holding, Stock
from didflow_inventory.domain.holding.stock_axis import TABLE, wrong_state
from didflow_inventory.domain.views import ENDED, Views

HoldingAction = Literal[
    "edit",
    "assign_account",
    "assign_user",
    "take_back",
    "hold",
    "unhold",
    "block",
    "unblock",
    "port_out",
    "return",
    "cancel_porting",
]
Rule = Callable[[Holding, Views, Caller], Refused | None]

NOT_FOUND: Final = Refused("not_found", NO_DID, "dids")
_ASSIGNED: Final[frozenset[Stock | None]] = frozenset(("assigned",))
HERE: Final[frozenset[Stock | None]] = frozenset(("porting_in", "assigned", "blocked", "on_hold"))

POSSIBLE: Final[Mapping[HoldingAction, frozenset[Stock | None]]] = MappingProxyType(
    {
        "edit": HERE,
        "assign_account": _ASSIGNED,
        "assign_user": _ASSIGNED,
        "take_back": _ASSIGNED,
        "hold": TABLE["hold"].before,
        "unhold": TABLE["unhold"].before,
        "block": TABLE["block"].before,
        "unblock": TABLE["unblock"].before,
        "port_out": TABLE["port_out"].before,
        "return": TABLE["return"].before,
        "cancel_porting": TABLE["porting_end"].before,
    }
)
"""Action -> the states of the stock axis in which it is possible."""


def is_without_user(holding: Holding, _views: Views, _caller: Caller) -> Refused | None:
    """Refuse `in_use` while the DID is assigned to a user."""
    if holding.user is None:
        return None
    return Refused("in_use", "A user has this number. Unassign the user first.", "dids")


def is_held_by_enterprise(holding: Holding, _views: Views, _caller: Caller) -> Refused | None:
    """Refuse `not_an_enterprise` unless an enterprise has the DID. Only enterprises have users."""
    if holding.in_enterprise:
        return None
    return Refused("not_an_enterprise", "Only an enterprise has users. Hand the number to one first.", "dids")


def is_not_ended(_holding: Holding, views: Views, _caller: Caller) -> Refused | None:
    """Refuse `term_ended` after the end of the term."""
    if views.term.state not in ENDED:
        return None
    return Refused("term_ended", "The term of this DID has ended. Restore or renew it first.", "dids")


def is_held_below(holding: Holding, _views: Views, caller: Caller) -> Refused | None:
    """Refuse `not_below` unless an account below the caller's has the DID."""
    if holding.account != caller.account and is_within(holding.account, caller.account):
        return None
    return Refused("not_below", "No account below yours has this DID.", "dids")


def is_held_by_hand(holding: Holding, _views: Views, _caller: Caller) -> Refused | None:
    """Refuse `held_by_package` if a package put the DID on hold. Its activation ends that hold."""
    if holding.held_by == "hand":
        return None
    return Refused("held_by_package", "A package holds this DID. Reactivate the package.", "dids")


def is_blocked_at_or_below(holding: Holding, _views: Views, caller: Caller) -> Refused | None:
    """Refuse `blocked_above` unless the caller's account or one below it blocked the DID."""
    if holding.blocked_by is not None and caller.reaches(holding.blocked_by):
        return None
    return Refused(
        "blocked_above", "An account above yours blocked this DID. Only it can unblock it.", "dids"
    )


def is_from_stock(holding: Holding, _views: Views, _caller: Caller) -> Refused | None:
    """Refuse `not_from_stock` if the number did not come from the stock."""
    if holding.origin == "stock":
        return None
    return Refused("not_from_stock", "This number did not come from the stock, so it cannot return.", "dids")


RULES: Final[Mapping[HoldingAction, tuple[Rule, ...]]] = MappingProxyType(
    {
        "edit": (),
        "assign_account": (is_without_user, is_not_ended),
        "assign_user": (is_held_by_enterprise,),
        "take_back": (is_without_user, is_held_below),
        "hold": (),
        "unhold": (is_held_by_hand,),
        "block": (),
        "unblock": (is_blocked_at_or_below,),
        "port_out": (),
        "return": (is_from_stock, is_without_user),
        "cancel_porting": (),
    }
)
"""Action -> its rules besides the state of the stock axis."""


def refusal_of_action(
    action: HoldingAction, holding: Holding, views: Views, caller: Caller
) -> Refused | None:
    """Return why an action is not possible with this DID now; None if it is possible.

    The decision can still refuse by what it names, such as an account that does not exist.
    """
    if holding.stock not in POSSIBLE[action]:
        return wrong_state(action, holding.stock, POSSIBLE[action])
    found = (rule(holding, views, caller) for rule in RULES[action])
    return next((refusal for refusal in found if refusal is not None), None)


def is_out_of_reach(holding: Holding | None, caller: Caller) -> bool:
    """Return True if a command is answered as if the DID did not exist: absent, removed, refused or foreign."""
    return holding is None or not holding.is_live or not caller.reaches(holding.account)
