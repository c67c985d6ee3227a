"""Money is exact, keeps to one currency, and mirrors charges in refunds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from didflow_contracts.money import CurrencyMismatchError, Money

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4)


def money(amount: str, currency: str = "EUR") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def test_the_wire_form_is_a_string_and_keeps_its_digits() -> None:
    """`12.50` stays `12.50`, and comes back equal."""
    wire = money("12.50").model_dump(mode="json")
    assert wire == {"amount": "12.50", "currency": "EUR"}
    assert Money.model_validate(wire) == money("12.50")


@pytest.mark.parametrize(
    "amount", [12.5, 12, True, "1e3", "NaN", "Infinity", "", "1,50", " 1", "+1", "1\n", "٣"]
)
def test_an_amount_that_is_no_plain_decimal_is_refused(amount: object) -> None:
    """Floats, exponents and special values have no place in money."""
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R", None])
def test_a_currency_has_three_capitals(currency: object) -> None:
    """Anything but an ISO 4217 code in form is refused."""
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": "1", "currency": currency})


def test_currencies_do_not_mix() -> None:
    """Adding another currency is an error with a stable code."""
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
    """The minor unit is the currency's own; halves go away from zero."""
    assert money(amount, currency).rounded().model_dump(mode="json")["amount"] == rounded


def test_a_year_costs_twelve_months() -> None:
    """Multiplying stays exact; only `rounded` rounds."""
    assert money("0.333") * 12 == money("3.996")


@given(amounts, st.integers(0, 12))
def test_a_refund_mirrors_its_charge(amount: Decimal, months: int) -> None:
    """Rounded charge and rounded refund always cancel out."""
    charge = (Money(amount=amount, currency="EUR") * months).rounded()
    refund = (-(Money(amount=amount, currency="EUR") * months)).rounded()
    assert charge + refund == money("0")
