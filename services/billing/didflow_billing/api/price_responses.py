"""Responses: a row of the price list, and a quote from it."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_billing.api.quotes import Outcome, counts_of, totals_of
from didflow_billing.domain.prices.changes import NewRow, sets_prices_of
from didflow_billing.domain.prices.quote import PriceQuote
from didflow_billing.domain.prices.row import PriceRow
from didflow_chassis.decision import Caller, Refused
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money, Total
from didflow_contracts.vocabulary import NumberType


class PriceResponse(BaseModel):
    """A row of the price list."""

    price_id: UUID
    account: str = Field(description="The row is for this account and those below it.")
    country: str = Field(description="`*` for every country.")
    number_type: str = Field(description="`*` for every type.")
    effective_from: datetime
    setup: Money = Field(description="Charged once, at the purchase.")
    recurring: Money = Field(description="Charged per month; a period of n months costs n times this.")
    recorded_at: datetime = Field(description="When the row was added.")
    recorded_by: str | None = Field(
        description="Who added the row. Null for rows of your own account, unless you are an operator."
    )

    @classmethod
    def of(cls, row: PriceRow, caller: Caller) -> Self:
        """Return the response for a row, as a caller may see it."""
        return cls(**_row_fields(row, caller))


class NewPriceResponse(PriceResponse):
    """A row that was added, or would be, and its neighbours among the rows for the same numbers."""

    replaces: Price | None = Field(
        description="The price of the row that is in force before; null if there is none."
    )
    effective_until: datetime | None = Field(
        description="From when on a later row replaces it; null if none does."
    )

    @classmethod
    def of_new(cls, new: NewRow, caller: Caller) -> Self:
        """Return the response for a new row."""
        return cls(**_row_fields(new.row, caller), replaces=new.replaces, effective_until=new.effective_until)


class PriceQuoteResult(BaseModel):
    """What one number would cost. The account whose row gives the price is not shown."""

    number: str = Field(description="As the caller wrote it.")
    outcome: Outcome
    code: str | None = None
    message: str | None = None
    country: str | None = Field(default=None, description="By the numbering plan.")
    number_type: NumberType | None = Field(default=None, description="By the numbering plan.")
    price: Price | None = None
    charge: Total | None = Field(default=None, description="Setup and first period together.")

    @classmethod
    def of(cls, number: str, quote: PriceQuote | Refused | None) -> Self:
        """Return the result for one number; None for one that was named before."""
        if quote is None:
            return cls(number=number, outcome="unchanged")
        if isinstance(quote, Refused):
            return cls(number=number, outcome="refused", code=quote.code, message=quote.message)
        return cls(
            number=number,
            outcome="done",
            country=quote.country,
            number_type=quote.number_type,
            price=quote.price,
            charge=next(iter(Total.of([quote.charge]))),
        )


class PriceQuoteResponse(BaseModel):
    """The quotes of all numbers, and the total of the charges in each currency."""

    results: list[PriceQuoteResult]
    done: int
    unchanged: int
    refused: int
    charges: list[Total]

    @classmethod
    def of(cls, results: list[PriceQuoteResult]) -> Self:
        """Return the response, with its counts and totals."""
        return cls(results=results, **counts_of(results), charges=totals_of(each.charge for each in results))


def _row_fields(row: PriceRow, caller: Caller) -> dict[str, Any]:
    names = ("price_id", "account", "country", "number_type", "effective_from", "recorded_at")
    price = row.price
    return {name: getattr(row, name) for name in names} | {
        "setup": price.setup,
        "recurring": price.recurring,
        "recorded_by": row.recorded_by if sets_prices_of(row.account, caller) else None,
    }
