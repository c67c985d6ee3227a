"""Responses: a term, a ledger entry."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money
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
    posted_at: datetime

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        """Return the response for a ledger entry."""
        return cls.model_validate(entry, from_attributes=True)
