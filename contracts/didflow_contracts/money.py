"""Money: an exact amount of one currency. Amounts are decimals, written as strings in JSON; floats are refused."""

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from iso4217 import Currency as _Iso4217
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from didflow_contracts.bounds import AMOUNT, DECIMALS

MINOR_UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {each.code: each.exponent for each in _Iso4217 if each.exponent is not None}
)
"""Currency code -> decimal places. ISO 4217 codes without a minor unit (gold, test codes) are not included."""

_QUANTA = {code: Decimal(1).scaleb(-places) for code, places in MINOR_UNITS.items()}
_AMOUNT = r"^-?([0-9]{1,9}(\.[0-9]{1,9})?|1000000000(\.0{1,9})?)$"
_ANY_AMOUNT = r"^-?[0-9]+(\.[0-9]{1,9})?$"
_DECIMAL = re.compile(rf"-?[0-9]{{1,40}}(\.[0-9]{{1,{DECIMALS.most}}})?", re.ASCII)
_NOT_AN_AMOUNT = (
    'An amount must be a decimal number in a string, such as "12.50", '
    f"with at most {DECIMALS.most} decimal places."
)
_OUT_OF_RANGE = f"Use an amount from {AMOUNT.least:,} to {AMOUNT.most:,}."


class CurrencyMismatchError(ValueError):
    """Amounts of two currencies were added."""

    code = "currency_mismatch"


def _amount(value: object) -> Decimal:
    text = _text(value) if isinstance(value, Decimal) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise ValueError(_NOT_AN_AMOUNT)
    amount = Decimal(text)
    if amount not in AMOUNT:
        raise PydanticCustomError("out_of_range", _OUT_OF_RANGE)
    return amount


def _text(amount: Decimal) -> str:
    text = str(amount)
    return format(amount, "f") if "E" in text else text


Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    PlainSerializer(_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _AMOUNT}),
]


class _CurrencySchema:
    """Validates a currency code. The check runs inside pydantic's core, because every event with money needs it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.literal_schema([*MINOR_UNITS]),
            custom_error_type="currency_unknown",
            custom_error_message="A currency must be a code of ISO 4217 in capital letters, such as EUR.",
        )


Currency = Annotated[str, _CurrencySchema, WithJsonSchema({"type": "string", "pattern": r"^[A-Z]{3}$"})]


class Money(BaseModel):
    """An amount of one currency. In JSON: `{"amount": "12.50", "currency": "EUR"}`.

    What comes from outside is checked against the bounds. Results of calculations are not.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    amount: Amount = Field(description="Exact decimal amount in the main unit of the currency, as a string.")
    currency: Currency = Field(description="Currency code of ISO 4217.")

    def __add__(self, other: Self) -> Self:
        """Add an amount of the same currency. Raises CurrencyMismatchError for another currency."""
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot be added.")
        return self._of(self.amount + other.amount)

    def __neg__(self) -> Self:
        """Return the same amount with the opposite sign: the refund of a charge."""
        return self._of(-self.amount)

    def __mul__(self, times: int) -> Self:
        """Return the amount multiplied by a whole number. The result is not rounded."""
        if times == 1:
            return self
        return self._of(self.amount * times)

    def rounded(self) -> Self:
        """Round to the minor unit of the currency. Halves go away from zero, so a refund mirrors its charge."""
        unit = _QUANTA[self.currency]
        if self.amount.same_quantum(unit):
            return self
        return self._of(self.amount.quantize(unit, rounding=ROUND_HALF_UP))

    def _of(self, amount: Decimal) -> Self:
        """Return another amount of the same currency. It is a result, so it is not checked against the bounds."""
        return self.model_copy(update={"amount": amount})


class Total(Money):
    """A sum of amounts of one currency. It has no bounds, because it can be larger than each of its amounts."""

    amount: Annotated[
        Decimal,
        PlainSerializer(_text, return_type=str, when_used="json"),
        WithJsonSchema({"type": "string", "pattern": _ANY_AMOUNT}),
    ] = Field(description="Exact decimal amount in the main unit of the currency, as a string.")

    @classmethod
    def of(cls, amounts: Iterable[Money]) -> tuple[Self, ...]:
        """Return the total of each currency, in the order of their codes."""
        sums: dict[str, Decimal] = {}
        for money in amounts:
            sums[money.currency] = sums.get(money.currency, Decimal()) + money.amount
        return tuple(cls(amount=sums[currency], currency=currency) for currency in sorted(sums))
