"""Which row of the price list a number takes: by a table, and against a second version of the rule."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_billing.domain.prices.lookup import keys_of, price_in_force
from didflow_billing.domain.prices.row import DatedPrice, PriceSeries, series_key
from didflow_contracts.events.purchase import Price

ZERO = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BUYER = "master/acme/shop"
ACCOUNTS = ("master", "master/acme", BUYER)

Row = tuple[str, str, str, datetime, str]
"""Account, country, number type, from when on, and the amount per month."""


def price(amount: str) -> Price:
    """Return a price of this amount per month."""
    money = {"amount": amount, "currency": "EUR"}
    return Price.model_validate({"setup": money, "recurring": money})


def taken(rows: list[Row], at: datetime = ZERO, country: str | None = "IE") -> str | None:
    """Return the amount of the row that the lookup takes for a local number."""
    series: dict[str, PriceSeries] = {}
    for account, row_country, number_type, since, amount in sorted(rows, key=lambda row: row[3]):
        key = series_key(account, row_country, number_type)
        found = series.get(key) or PriceSeries(
            key=key, account=account, country=row_country, number_type=number_type
        )
        dated = DatedPrice(
            effective_from=since, price=price(amount), recorded_at=since, recorded_by="user:ann"
        )
        series[key] = PriceSeries(
            key=key,
            account=account,
            country=row_country,
            number_type=number_type,
            prices=(*found.prices, dated),
        )
    found_price = price_in_force(keys_of(BUYER, country, "local"), series.get, at)
    return None if found_price is None else str(found_price.recurring.amount)


def reference(rows: list[Row], at: datetime, country: str | None) -> str | None:
    """Return the same amount by sorting all rows that match."""
    matching: Iterator[Any] = (
        (len(account.split("/")), row_country != "*", number_type != "*", since, amount)
        for account, row_country, number_type, since, amount in rows
        if f"{BUYER}/".startswith(f"{account}/")
        and row_country in (country, "*")
        and number_type in ("local", "*")
        and since <= at
    )
    best = max(matching, default=None)
    return None if best is None else best[-1]


EXACT: list[Row] = [
    ("master", "*", "*", ZERO, "1"),
    ("master", "*", "local", ZERO, "2"),
    ("master", "IE", "*", ZERO, "3"),
    ("master", "IE", "local", ZERO, "4"),
]


@pytest.mark.parametrize(
    ("rows", "amount"),
    [
        ([], None),
        (EXACT[:1], "1"),
        (EXACT[:2], "2"),
        (EXACT[:3], "3"),
        (EXACT, "4"),
        ([("master", "DE", "*", ZERO, "9"), ("master", "*", "mobile", ZERO, "8")], None),
        ([("master/ac", "*", "*", ZERO, "9"), (f"{BUYER}/desk", "*", "*", ZERO, "8")], None),
        ([*EXACT, ("master/acme", "*", "*", ZERO, "5")], "5"),
        ([*EXACT, ("master/acme", "DE", "*", ZERO, "5")], "4"),
        ([*EXACT, ("master/acme", "*", "*", ZERO + SECOND, "5")], "4"),
        ([*EXACT, ("master/acme", "*", "*", ZERO, "5"), (BUYER, "*", "*", ZERO, "0")], "0"),
        ([("master", "*", "*", ZERO - SECOND, "6"), ("master", "*", "*", ZERO, "7")], "7"),
        ([("master", "*", "*", ZERO, "7"), ("master", "*", "*", ZERO + SECOND, "6")], "7"),
        ([("master", "*", "*", ZERO, "7"), ("master", "IE", "*", ZERO + SECOND, "6")], "7"),
    ],
)
def test_the_nearest_account_then_the_most_exact_row_then_the_latest_is_taken(
    rows: list[Row], amount: str | None
) -> None:
    """A row that is not in force yet, or is for other numbers, does not count, however near its account is."""
    assert taken(rows) == amount


def test_a_number_of_no_country_takes_rows_for_every_country() -> None:
    """Such numbers belong to no country of the list."""
    assert taken(EXACT, country=None) == "2"


rows_strategy = st.lists(
    st.tuples(
        st.sampled_from(["master", "master/acme", BUYER, "master/other", f"{BUYER}/desk", "master/ac"]),
        st.sampled_from(["IE", "DE", "*"]),
        st.sampled_from(["local", "mobile", "*"]),
        st.integers(-3, 3).map(lambda days: ZERO + timedelta(days=days)),
    ),
    max_size=40,
    unique=True,
)


@given(
    keys=rows_strategy,
    days=st.integers(-4, 4),
    country=st.sampled_from(["IE", "DE", None]),
)
def test_the_lookup_equals_a_search_through_all_rows(
    keys: list[tuple[str, str, str, datetime]], days: int, country: str | None
) -> None:
    """It holds for any list, at any instant."""
    rows: list[Row] = [(*key, str(n)) for n, key in enumerate(keys)]
    at = ZERO + timedelta(days=days)
    assert taken(rows, at, country) == reference(rows, at, country)
