"""The stock axis of a DID: its closed table. Every change of the axis goes through `moved`.

Source: spec lifecycle, The axes and their closed tables.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from didflow_chassis.decision import Refused
from didflow_contracts.vocabulary import DidStock
from didflow_inventory.domain.holding.holding import Holding, Step, Stock

_HELD: Final[Mapping[str, None]] = dict.fromkeys(
    ("held_since", "until", "after_hold", "held_by", "before_hold")
)
"""The fields of a hold, as they are while the DID is not on hold."""


class Transition(NamedTuple):
    """The states in which a step is possible, and the states that it leads to. None is the state before the start."""

    before: frozenset[Stock | None]
    after: frozenset[DidStock]


def _from(*before: Stock | None, to: tuple[DidStock, ...]) -> Transition:
    return Transition(frozenset(before), frozenset(to))


TABLE: Final[Mapping[Step, Transition]] = MappingProxyType(
    {
        "porting": _from(None, to=("porting_in",)),
        "purchase": _from(None, "porting_in", to=("assigned",)),
        "porting_end": _from("porting_in", to=("removed",)),
        "block": _from("assigned", to=("blocked",)),
        "unblock": _from("blocked", to=("assigned",)),
        "hold": _from("assigned", "blocked", to=("on_hold",)),
        "unhold": _from("on_hold", to=("assigned", "blocked")),
        "hold_end": _from("on_hold", to=("assigned", "blocked", "removed")),
        "port_out": _from("assigned", "blocked", "on_hold", to=("removed",)),
        "return": _from("assigned", "blocked", "on_hold", to=("removed",)),
        "removal": _from("porting_in", "assigned", "blocked", "on_hold", to=("removed",)),
    }
)
"""Step -> where it is possible and where it leads."""


class ForbiddenTransitionError(Exception):
    """A decision tried a step that is not in the table. This is a defect in the code."""

    code = "forbidden_transition"


def refusal_of_step(step: Step, stock: Stock) -> Refused | None:
    """Return the refusal of a step that is not possible in this state; None if it is possible."""
    possible = TABLE[step].before
    return None if stock in possible else wrong_state(step, stock, possible)


def wrong_state(attempt: str, stock: Stock, possible: frozenset[Stock | None]) -> Refused:
    """Return the refusal of an attempt. Its message names the state and the attempt."""
    states = ", ".join(sorted(state for state in possible if state)) or "none"
    return Refused(
        "wrong_stock_state",
        f"The stock of this DID is {stock}. The attempt {attempt} is possible in: {states}.",
    )


def moved(holding: Holding, step: Step, to: DidStock, **changes: Any) -> Holding:
    """Return the holding after a step. The fields of a hold are kept only on hold.

    Raises ForbiddenTransitionError if the table does not list the step.
    """
    transition = TABLE[step]
    if holding.stock not in transition.before or to not in transition.after:
        raise ForbiddenTransitionError(f"{step}: {holding.stock} -> {to}")
    hold = {} if to == "on_hold" else _HELD
    blocked = {} if to in ("blocked", "on_hold") else {"blocked_by": None}
    return replace(holding, **{"stock": to, "last_step": step, **hold, **blocked, **changes})
