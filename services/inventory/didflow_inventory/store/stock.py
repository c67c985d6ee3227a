"""The reads of the numbers in stock. Every query is limited to what its caller may see."""

from typing import Any, Final

import sqlalchemy as sa

from didflow_chassis.decision import OPERATOR, Caller
from didflow_chassis.tables import NOW
from didflow_chassis.tenancy import within
from didflow_contracts.accounts import lineage
from didflow_inventory.domain.stock.number import Number, StockStatus
from didflow_inventory.domain.stock.transitions import as_of
from didflow_inventory.store.tables import NUMBERS, numbers

SORTS: Final = {name: numbers.c[name] for name in ("number", "uploaded_at", "until")}
SPARE: Final = 1_000
"""How many more free numbers are read than twice those that are wanted."""

_HOLD_HAS_ENDED: Final = sa.and_(numbers.c.stock == "held", numbers.c.until <= NOW)
IS_FREE: Final = sa.and_(
    numbers.c.stock.in_(("in_stock", "held")),
    sa.or_(numbers.c.stock == "in_stock", _HOLD_HAS_ENDED),
    sa.not_(numbers.c.releasing),
)


def stock(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the numbers in the stock of the accounts in the caller's reach, each with the time as `now`."""
    in_reach = within(numbers.c.uploaded_by, caller)
    return _numbers().where(numbers.c.stock.is_not(None), in_reach, *conditions)


def available(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the free numbers in the stock of the caller's account and of the accounts above it.

    For an operator these are the free numbers of every account.
    """
    return _numbers().where(may_have(caller), IS_FREE, *conditions)


def free_numbers(caller: Caller, country: str, count: int) -> sa.Select[Any]:
    """Select free numbers of a country that the caller may have: more than `count`, to choose among."""
    conditions = (may_have(caller), IS_FREE, numbers.c.country == country)
    return sa.select(numbers.c.number).where(*conditions).limit(2 * count + SPARE)


def may_have(caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a number is in a stock from which the caller's account may have it."""
    if caller.role == OPERATOR:
        return numbers.c.uploaded_by.is_not(None)
    return numbers.c.uploaded_by.in_(lineage(caller.account))


def is_now(state: StockStatus) -> sa.ColumnElement[bool]:
    """Return the condition that a number is in a state now: a reservation ends by itself, whenever its timer runs."""
    now = sa.case((_HOLD_HAS_ENDED, "in_stock"), else_=numbers.c.stock)
    return now == state


def number_of_row(row: Any) -> Number:
    """Return the number of a row, as it is now."""
    found: Number = NUMBERS.from_row([row[name] for name in NUMBERS.columns]).state
    return as_of(found, row["now"])


def _numbers() -> sa.Select[Any]:
    return sa.select(*(numbers.c[name] for name in NUMBERS.columns), NOW.label("now"))
