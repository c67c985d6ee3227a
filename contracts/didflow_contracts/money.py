"""Money: an exact amount in one currency. Amounts are decimals, strings on the wire; floats are refused."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

DEFAULT_MINOR_UNIT = 2
_WITHOUT_MINOR_UNIT = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_IN_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
MINOR_UNITS = dict.fromkeys(_WITHOUT_MINOR_UNIT, 0) | dict.fromkeys(_IN_THOUSANDTHS, 3)
"""Decimal places of the currencies that do not have two. Source: ISO 4217."""

_AMOUNT = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"
_AMOUNT_FORM = re.compile(_AMOUNT[1:-1], re.ASCII)


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies were put together."""

    code = "currency_mismatch"


def _amount(value: object) -> Decimal:
    text = _text(value) if isinstance(value, Decimal) else value
    if not isinstance(text, str) or not _AMOUNT_FORM.fullmatch(text):
        raise ValueError('an amount is a decimal string such as "12.50"')
    return Decimal(text)


def _text(amount: Decimal) -> str:
    text = str(amount)
    return format(amount, "f") if "E" in text else text


Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    PlainSerializer(_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _AMOUNT}),
]


class Money(BaseModel):
    """An amount of one currency; `{"amount": "12.50", "currency": "EUR"}` on the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    amount: Amount = Field(description="Exact decimal amount in the currency's main unit, as a string.")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 currency code.")

    def __add__(self, other: Self) -> Self:
        """Add an amount of the same currency. Raises CurrencyMismatchError."""
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot be added")
        return self._of(self.amount + other.amount)

    def __neg__(self) -> Self:
        """Turn a charge into a refund, and back."""
        return self._of(-self.amount)

    def __mul__(self, times: int) -> Self:
        """Take the amount a whole number of times, unrounded."""
        if times == 1:
            return self
        return self._of(self.amount * times)

    def rounded(self) -> Self:
        """Round to the currency's minor unit, halves away from zero, so that a refund mirrors its charge."""
        unit = Decimal(1).scaleb(-MINOR_UNITS.get(self.currency, DEFAULT_MINOR_UNIT))
        if self.amount.same_quantum(unit):
            return self
        return self._of(self.amount.quantize(unit, rounding=ROUND_HALF_UP))

    def _of(self, amount: Decimal) -> Self:
        return type(self)(amount=amount, currency=self.currency)
