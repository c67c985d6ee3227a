"""The bodies and the query strings about numbers in stock."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field, model_validator

from didflow_chassis.http import ErrorMessage, FieldError, Problem
from didflow_chassis.tenancy import in_subtree
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import BATCH, NAME
from didflow_contracts.names import DidName
from didflow_contracts.numbers import CountryCode
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import AfterHold, Features, Name, NumberType, Text
from didflow_inventory.api.bodies import Body, digits_of
from didflow_inventory.domain.stock.commands import StockFields
from didflow_inventory.domain.stock.number import StockStatus
from didflow_inventory.domain.stock.ranges import NUMBERS, NumberRange, WrongRange, read_ranges
from didflow_inventory.domain.stock.reservation import MINUTES
from didflow_inventory.store.stock import is_now
from didflow_inventory.store.tables import numbers

RangeText = Annotated[str, Field(max_length=NAME.most)]
Prefix = Annotated[
    str,
    Field(max_length=16, pattern=r"^\+?[0-9]{0,15}$"),
    ErrorMessage("Write digits, with or without a plus sign in front."),
]
NumberNames = Annotated[
    list[DidName], Field(json_schema_extra={"minItems": BATCH.least, "maxItems": BATCH.most})
]


class StockBody(Body):
    """Numbers to add to the stock of the caller's account, and what is said about all of them."""

    numbers: RangeText | Annotated[list[RangeText], Field(max_length=NUMBERS.most)] | None = Field(
        default=None,
        description="One number, many, or ranges such as `+35319609000-+35319609099`, or `111-222` with a `prefix`: "
        "at most 10,000 numbers in all.",
    )
    from_: RangeText | None = Field(
        default=None, alias="from", description="Instead of `numbers`: the lowest number of a range."
    )
    to: RangeText | None = Field(default=None, description="The highest number of the range.")
    prefix: Prefix = Field(default="", description="What stands before each number, such as `+3531960`.")
    number_type: NumberType | None = Field(
        default=None, description="Absent: the type that the numbering plan gives each number."
    )
    features: Features = Field(default=("voice_in",), description="What the numbers can do.")
    operator: Name | None = Field(default=None, description="Who provides the numbers.")
    carrier: Name | None = Field(
        default=None, description="Carrier of calls. Absent: the default carrier of the account."
    )
    sms_carrier: Name | None = Field(default=None, description="Carrier of messages, if it is another one.")
    status: Literal["in_stock", "reserved", "archived"] = "in_stock"
    after_hold: AfterHold | None = Field(
        default=None, description="What becomes of the number when a hold of its DID runs out. Absent: back."
    )
    tag: Name | None = None
    notes: Text | None = None

    @model_validator(mode="after")
    def _numbers_or_a_range(self) -> Self:
        if (self.from_ is None) != (self.to is None):
            missing = "to" if self.to is None else "from"
            raise wrong_field(missing, "Give both ends of the range.", code="missing")
        if self.numbers is not None and self.from_ is not None:
            raise wrong_field("numbers", "Give either numbers, or from and to.", code="value_invalid")
        return self

    def ranges(self) -> tuple[NumberRange | str, ...]:
        """Return the numbers as ranges. Raises Problem `range_reversed`, `range_width_differs`, `too_many`."""
        field = "numbers" if self.from_ is None else "from"
        texts = [self.numbers] if isinstance(self.numbers, str) else list(self.numbers or ())
        if self.from_ is not None:
            texts = [f"{self.from_}-{self.to}"]
        try:
            return read_ranges(texts, self.prefix)
        except WrongRange as wrong:
            raise _wrong(field, wrong.code, str(wrong), problem=wrong.code) from None

    def fields(self) -> StockFields:
        """Return what is said about the numbers."""
        return StockFields(**{name: getattr(self, name) for name in StockFields.__struct_fields__})


class NumbersBody(Body):
    """Numbers in stock."""

    numbers: NumberNames = Field(description="1 to 1,000 numbers.")


class EditStockBody(NumbersBody):
    """Fields to set on numbers in stock. A field that is absent stays as it is; null empties it."""

    number_type: NumberType = "local"
    features: Features = ()
    operator: Name | None = None
    carrier: Name | None = None
    sms_carrier: Name | None = None
    after_hold: AfterHold | None = None
    tag: Name | None = None
    notes: Text | None = None

    def changes(self) -> Mapping[str, Any]:
        """Return the fields that were given, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"numbers"}}


class HandOutBody(NumbersBody):
    """Numbers in stock, and who gets them: an account below the caller's, or a user."""

    account: AccountPath | None = Field(
        default=None, description="Absent: the caller's account, for a user of it."
    )
    user_id: UUID | None = Field(default=None, description="A user of the account.")


class ReservationBody(Body):
    """Numbers to reserve: those that are named, or as many as wanted of a country."""

    numbers: NumberNames | None = Field(default=None, description="1 to 1,000 numbers.")
    country: CountryCode | None = None
    count: Annotated[int, Field(strict=True, ge=BATCH.least, le=BATCH.most)] | None = Field(
        default=None,
        description="How many numbers of the country. Which ones is chosen among those that are free.",
    )
    minutes: Annotated[int, Field(strict=True, ge=MINUTES.least, le=MINUTES.most)] = Field(
        default=30, description="When the reservation ends by itself."
    )

    @model_validator(mode="after")
    def _numbers_or_a_count(self) -> Self:
        if self.numbers is not None:
            if self.country is not None or self.count is not None:
                raise wrong_field(
                    "numbers", "Give either numbers, or country and count.", code="value_invalid"
                )
            return self
        for name in ("country", "count"):
            if getattr(self, name) is None:
                raise wrong_field(name, "Give either numbers, or country and count.", code="missing")
        return self


class NumberFilters(BaseModel):
    """Filters of numbers. A number must match all that are given."""

    country: CountryCode | None = None
    number_type: NumberType | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the numbers."""
        for name in type(self).model_fields.keys() & {"country", "number_type", "tag", "operator", "carrier"}:
            value = getattr(self, name)
            if value is not None:
                yield numbers.c[name] == value


class AvailableQuery(NumberFilters):
    """Filters of the numbers that can be had."""

    contains: Annotated[str, Field(max_length=NAME.most)] | None = Field(
        default=None, description="Consecutive digits anywhere in the number."
    )

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the numbers. Raises Problem `input_invalid`."""
        yield from super().conditions()
        if self.contains is not None:
            yield numbers.c.number.contains(digits_of(self.contains, field="contains"))


class StockQuery(NumberFilters):
    """Filters of the stock."""

    stock: StockStatus | None = None
    number_contains: Annotated[str, Field(max_length=NAME.most)] | None = Field(
        default=None, description="Consecutive digits anywhere in the number."
    )
    account: AccountPath | None = Field(default=None, description="Added by this account or by one below it.")
    tag: Name | None = None
    operator: Name | None = None
    carrier: Name | None = None
    reservation_id: UUID | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the numbers. Raises Problem `input_invalid`."""
        yield from super().conditions()
        if self.stock is not None:
            yield is_now(self.stock)
        if self.number_contains is not None:
            yield numbers.c.number.contains(digits_of(self.number_contains, field="number_contains"))
        if self.account is not None:
            yield in_subtree(numbers.c.uploaded_by, self.account)
        if self.reservation_id is not None:
            yield numbers.c.reservation_id == self.reservation_id


def _wrong(field: str, code: str, message: str, *, problem: str = "input_invalid") -> Problem:
    error = FieldError(field=field, code=code, message=message)
    return Problem(problem, message, status=422, errors=[error])
