"""The rows of the price list. A row is never changed; from its `effective_from` on, it replaces the one before.

The rows of one account, country and number type are a series. A decision reads series, and never single rows.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct

from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money

ANY: Final = "*"
"""The country or the number type of a row that holds for every one."""

MAX_ROWS: Final = 1_000
"""The most rows of one series. A purchase reads whole series."""


class PriceRow(Struct, frozen=True, kw_only=True):
    """One row of the price list. `country` and `number_type` can be `*`. Amounts are as they were given, not rounded.

    It holds for its account and those below it. `recorded_at` is when it was written, and `recorded_by` the actor.
    """

    price_id: UUID
    account: str
    country: str
    number_type: str
    effective_from: datetime
    setup: Decimal
    recurring: Decimal
    currency: str
    recorded_at: datetime
    recorded_by: str

    @property
    def price(self) -> Price:
        """The price: what is charged once, and per month."""
        return Price.model_construct(
            setup=Money.model_construct(amount=self.setup, currency=self.currency),
            recurring=Money.model_construct(amount=self.recurring, currency=self.currency),
        )


class DatedPrice(Struct, frozen=True, kw_only=True):
    """A row of a series: a price, from when on it is in force, when it was written and by which actor."""

    effective_from: datetime
    price: Price
    recorded_at: datetime
    recorded_by: str


class PriceSeries(Struct, frozen=True, kw_only=True):
    """The rows of one account, country and number type, the earliest first. `key` names the three."""

    key: str
    account: str
    country: str
    number_type: str
    prices: tuple[DatedPrice, ...] = ()


def series_key(account: str, country: str, number_type: str) -> str:
    """Return the key of a series. None of the three contains the separator."""
    return f"{account}|{country}|{number_type}"
