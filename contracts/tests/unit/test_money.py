"""Money is exact and has one currency. A refund mirrors its charge."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from didflow_contracts.envelope import BadEvent, decode
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.money import MINOR_UNITS, CurrencyMismatchError, Money

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4)


def money(amount: str, currency: str = "EUR") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def test_an_amount_is_a_string_in_json_and_keeps_its_digits() -> None:
    """`12.50` stays `12.50`."""
    written = money("12.50").model_dump(mode="json")
    assert written == {"amount": "12.50", "currency": "EUR"}
    assert Money.model_validate(written) == money("12.50")


@pytest.mark.parametrize(
    "amount", [12.5, 12, True, "1e3", "NaN", "Infinity", "", "1,50", " 1", "+1", "1\n", "٣"]
)
def test_an_amount_must_be_a_plain_decimal(amount: object) -> None:
    """Floats, exponents and special values are refused."""
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R", "EEE", "DEM", "XAU", "XXX", None, 978, []])
def test_a_currency_that_iso_4217_does_not_list_is_refused(currency: object) -> None:
    """Former currencies, and codes without a minor unit such as gold, are refused, too."""
    with pytest.raises(ValidationError, match="must be a code of ISO 4217"):
        Money.model_validate({"amount": "1", "currency": currency})


def test_minor_units_are_those_of_iso_4217() -> None:
    """Most currencies have two decimal places, some have none, three or four."""
    assert len(MINOR_UNITS) > 150
    assert [MINOR_UNITS[code] for code in ("EUR", "USD", "JPY", "ISK", "KWD", "CLF")] == [2, 2, 0, 0, 3, 4]


def test_an_event_with_an_unknown_currency_is_invalid_data(purchase: dict[str, Any]) -> None:
    """The reason names the field."""
    for amount in purchase["data"]["price"].values():
        amount["currency"] = "EEE"
    with pytest.raises(BadEvent) as caught:
        decode(orjson.dumps(purchase), [], types=EVENT_TYPES)
    assert caught.value.code == "invalid_data"
    assert caught.value.reason.startswith("price.setup.currency: A currency must be a code of ISO 4217")


def test_currencies_do_not_mix() -> None:
    """The error has a stable code."""
    with pytest.raises(CurrencyMismatchError) as caught:
        money("1") + money("1", "USD")
    assert caught.value.code == "currency_mismatch"


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.345", "EUR", "2.35"),
        ("-2.345", "EUR", "-2.35"),
        ("2.5", "JPY", "3"),
        ("2.4", "JPY", "2"),
        ("1.2345", "BHD", "1.235"),
        ("7", "EUR", "7.00"),
    ],
)
def test_rounding_follows_the_currency(amount: str, currency: str, rounded: str) -> None:
    """Amounts are rounded to the minor unit. Halves go away from zero."""
    assert money(amount, currency).rounded().model_dump(mode="json")["amount"] == rounded


def test_a_multiplied_amount_is_exact() -> None:
    """Only `rounded` rounds."""
    assert money("0.333") * 12 == money("3.996")


@given(amounts, st.integers(0, 12))
def test_a_refund_mirrors_its_charge(amount: Decimal, months: int) -> None:
    """Together they are zero, also after rounding."""
    charge = (Money(amount=amount, currency="EUR") * months).rounded()
    refund = (-(Money(amount=amount, currency="EUR") * months)).rounded()
    assert charge + refund == money("0")
