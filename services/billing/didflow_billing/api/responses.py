"""Responses: a term, a ledger entry, a balance."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_billing.domain.term import Term
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money, Total
from didflow_contracts.vocabulary import EntryKind, Registration, TermState


class TermResponse(BaseModel):
    """A term. Without a price the state is `none` and the fields of a term are null."""

    did_id: UUID
    number: str
    account: str = Field(description="The holder of the DID.")
    payer: str = Field(description="The account that is charged.")
    order_id: str | None
    state: TermState
    cycles_left: int | None = Field(description="Renewals left; null means no limit.")
    billing_period: int | None = Field(description="Months of a period.")
    period: int = Field(description="Number of the running period, from 1; 0 without a term.")
    period_start: datetime | None
    expires_at: datetime | None
    aging_until: datetime | None = Field(
        description="When the DID is removed for good; null if that is not due."
    )
    price: Price | None
    purchased_at: datetime | None
    registration: Registration | None = Field(
        description="As last received; null until verification has answered."
    )

    @classmethod
    def of(cls, term: Term) -> Self:
        """Return the response for a term."""
        return cls.model_validate(term, from_attributes=True)


class EntryResponse(BaseModel):
    """One entry of the ledger. A refund is negative and names the charge that it reverses."""

    entry_id: UUID
    did_id: UUID
    number: str
    position: int = Field(description="Counts the entries of the DID, from 1.")
    order_id: str | None
    payer: str
    kind: EntryKind
    money: Money
    period_start: datetime | None
    period_end: datetime | None
    reverses: UUID | None
    posted_at: datetime = Field(description="The instant that the entry is for. Balances go by it.")
    recorded_at: datetime = Field(description="When the entry was written. Invoices go by it.")


ENTRY_COLUMNS: Final = tuple(
    column
    for name in EntryResponse.model_fields
    for column in (("amount", "currency") if name == "money" else (name,))
)
"""The columns of a CSV file of entries."""


def entry_of_row(row: Any) -> dict[str, Any]:
    """Return a row of the ledger as an item of a list."""
    money = Money.model_construct(amount=row["amount"], currency=row["currency"])
    values: dict[str, Any] = {
        name: money if name == "money" else row[name] for name in EntryResponse.model_fields
    }
    return EntryResponse.model_construct(None, **values).model_dump(mode="json")


def entry_cells(row: Any) -> dict[str, Any]:
    """Return a row of the ledger as the cells of a file."""
    return {**entry_of_row(row), "amount": row["amount"], "currency": row["currency"]}


def balance_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of balances as an item of a list. Its sums have the decimal places of the currency."""
    charged, refunded = row["charged"], row["refunded"]
    sums = {"charged": charged, "refunded": refunded, "balance": charged - refunded}
    about: dict[str, Any] = {
        name: row[name] for name in ("account", "order_id", "did_id", "currency") if name in row
    }
    if about.get("order_id") == "":
        about["order_id"] = None
    return about | {name: _total(amount, row["currency"]) for name, amount in sums.items()}


def _total(amount: Decimal, currency: str) -> dict[str, Any]:
    return Total.model_construct(amount=amount, currency=currency).rounded().model_dump(mode="json")
