"""Calendar and money as the specification describes them, computed the long way and without billing's own code."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Final

DAY: Final = timedelta(days=1)
PLACES: Final = {"EUR": 2, "JPY": 0, "KWD": 3}
"""Currency -> decimal places of its minor unit."""


def months_later(anchor: datetime, months: int) -> datetime:
    """Return the same day so many months later, or the last day of that month. Found by counting single days."""
    time = anchor - datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC)
    day = datetime(anchor.year, anchor.month, 1, tzinfo=UTC)
    for _ in range(months):
        day = _next_month(day)
    while day.day != anchor.day and (day + DAY).month == day.month:
        day += DAY
    return day + time


@lru_cache(maxsize=10_000)
def _next_month(first: datetime) -> datetime:
    day = first
    while day.month == first.month:
        day += DAY
    return day


def cost(amount: str, currency: str, months: int = 1) -> str:
    """Return an amount times months, in minor units of the currency. A half is rounded up."""
    places = PLACES[currency]
    units = floor(Fraction(amount) * months * 10**places + Fraction(1, 2))
    digits = str(units).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def negative(amount: str) -> str:
    """Return the amount of the refund of a charge."""
    return f"-{amount}" if Fraction(amount) else amount
