"""The closed table of the states of a number in stock. What is not listed is refused.

A number that becomes a DID leaves the table (`new_did`), and comes back when the DID is removed (`after_did`).
Source: spec lifecycle, The axes and their closed tables.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from didflow_chassis.decision import Refused, Unchanged
from didflow_inventory.domain.stock.number import Number, StockStatus

TRANSITIONS: Final[Mapping[StockStatus, frozenset[StockStatus]]] = MappingProxyType(
    {
        "in_stock": frozenset(("reserved", "archived", "held")),
        "reserved": frozenset(("in_stock",)),
        "archived": frozenset(("in_stock",)),
        "held": frozenset(("in_stock",)),
    }
)
"""The states that follow each state of a number in stock."""

NOT_FOUND: Final = Refused("not_found", "No such number in your stock.", "numbers")
_UNHELD: Final[Mapping[str, Any]] = MappingProxyType(
    {"reservation_id": None, "held_for": None, "until": None}
)


def as_of(number: Number, now: datetime) -> Number:
    """Return the number as it is at an instant: a reservation ends by itself, whenever its timer runs."""
    if number.stock == "held" and number.until is not None and number.until <= now:
        return replace(number, stock="in_stock", **_UNHELD)
    return number


def moved(number: Number, to: StockStatus, now: datetime, **fields: Any) -> Number | Unchanged | Refused:
    """Return the number in another state, or the decision if the table has no such transition.

    `fields` are set besides, such as those of a reservation. The repeat of the last transition changes nothing.
    """
    found = as_of(number, now)
    if found.stock is None:
        return NOT_FOUND
    if found.stock == to and not fields:
        return Unchanged()
    if to not in TRANSITIONS[found.stock]:
        return refusal_of_state(found.stock, f"The number is {found.stock}. It cannot become {to}.")
    return replace(found, **{"stock": to, **_UNHELD, **fields})


def refusal_of_state(stock: StockStatus, message: str) -> Refused:
    """Return the refusal of something that a number in this state does not allow. Its code names the state.

    Source: spec events, `purchase.refused`.
    """
    if stock == "archived":
        return Refused("number_archived", message, "number")
    return Refused("number_reserved", message, "number")
