"""The price of a number for an account at an instant. Source: spec billing, Prices.

It is that of the nearest account at or above the buyer that has a row in force. Of its rows, the most exact one counts:
for the country and the type, else for the country, else for the type, else for every number. Of a series, the last row
in force counts.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import product

from didflow_billing.domain.prices.row import ANY, PriceSeries, series_key
from didflow_contracts.accounts import lineage
from didflow_contracts.events import DidPurchased
from didflow_contracts.events.purchase import Price
from didflow_contracts.numbers import country_of

SeriesOf = Callable[[str], PriceSeries | None]
"""Returns the series of a key; None if there is none."""


def is_looked_up(data: DidPurchased) -> bool:
    """Return True for a purchase that names no price. Numbers that are got in another way need no price."""
    return data.acquired == "purchased" and data.price is None


def keys_of_purchase(data: DidPurchased) -> Iterator[tuple[str, str]]:
    """Yield the account and the key of each series that can have the price of a purchase, the first to be taken first.

    The country is that of the number, if it has one: what the buyer states cannot change the price.
    """
    return keys_of(data.account, country_of(data.number) or data.country, data.number_type)


def keys_of(account: str, country: str | None, number_type: str) -> Iterator[tuple[str, str]]:
    """Yield the account and the key of each series that can have a price, the first to be taken first."""
    countries = (ANY,) if country is None else (country, ANY)
    for path, row_country, row_type in product(lineage(account), countries, (number_type, ANY)):
        yield path, series_key(path, row_country, row_type)


def price_in_force(keys: Iterator[tuple[str, str]], series_of: SeriesOf, at: datetime) -> Price | None:
    """Return the price at an instant; None if no row is in force. The keys are in the order of `keys_of`."""
    series = (series_of(key) for _, key in keys)
    prices = (price_at(found, at) for found in series if found is not None)
    return next((price for price in prices if price is not None), None)


def price_at(series: PriceSeries, at: datetime) -> Price | None:
    """Return the price of a series at an instant. A row is in force from its `effective_from` on, inclusive."""
    in_force = (each.price for each in reversed(series.prices) if each.effective_from <= at)
    return next(in_force, None)
