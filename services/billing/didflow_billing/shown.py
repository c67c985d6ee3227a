"""What billing shows: a term, a ledger line, a quote, as they go over HTTP."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.quote import Quote
from didflow_billing.domain.term import Term
from didflow_chassis.decision import Refused, Unchanged
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import EntryKind, Registration, TermState


class TermShown(BaseModel):
    """A term, whole. Without a price the state is `none` and what belongs to a term is null."""

    did_id: UUID
    number: str
    account: str = Field(description="Who holds the DID.")
    payer: str = Field(description="Who is charged.")
    order_id: str | None
    state: TermState
    cycles_left: int | None = Field(description="Renewals left; null is without end.")
    billing_period: int | None = Field(description="Months of a period.")
    period: int = Field(description="Which period runs, from 1; 0 without a term.")
    period_start: datetime | None
    expires_at: datetime | None
    aging_until: datetime | None = Field(description="When it is gone for good; null while not in the pool.")
    price: Price | None
    purchased_at: datetime | None
    registration: Registration | None = Field(description="As last heard; null until verification spoke.")


class LineShown(BaseModel):
    """One line of the ledger; a refund is negative and names what it reverses."""

    entry_id: UUID
    did_id: UUID
    number: str
    line: int = Field(description="Its place in the count of its DID, from 1.")
    order_id: str | None
    payer: str
    kind: EntryKind
    money: Money
    period_start: datetime | None
    period_end: datetime | None
    reverses: UUID | None
    posted_at: datetime


class QuoteEntry(BaseModel):
    """What would come of one entry: its outcome, and what it would charge or give back."""

    did: str = Field(description="As the caller wrote it.")
    outcome: Literal["done", "unchanged", "refused"]
    code: str | None = None
    message: str | None = None
    charge: Money | None = None
    refund: Money | None = None


class QuoteShown(BaseModel):
    """What a wish would do, entry by entry, and what it would charge and give back in each currency."""

    results: list[QuoteEntry]
    done: int
    unchanged: int
    refused: int
    charges: list[Money]
    refunds: list[Money]


def term_shown(term: Term) -> TermShown:
    """Show a term."""
    return TermShown.model_validate(term, from_attributes=True)


def line_shown(entry: LedgerEntry) -> LineShown:
    """Show a ledger line."""
    return LineShown.model_validate(entry, from_attributes=True)


def quote_entry(did: str, quote: Quote) -> QuoteEntry:
    """Show what would come of one DID."""
    outcome = quote.outcome
    if isinstance(outcome, Refused):
        return QuoteEntry(did=did, outcome="refused", code=outcome.code, message=outcome.message)
    if isinstance(outcome, Unchanged):
        return QuoteEntry(did=did, outcome="unchanged")
    return QuoteEntry(did=did, outcome="done", charge=quote.charge, refund=quote.refund)


def quote_shown(entries: list[QuoteEntry]) -> QuoteShown:
    """Show a whole quote, with its counts and sums."""
    counts = {name: sum(e.outcome == name for e in entries) for name in ("done", "unchanged", "refused")}
    return QuoteShown(
        results=entries,
        **counts,
        charges=_sums(e.charge for e in entries),
        refunds=_sums(e.refund for e in entries),
    )


def _sums(amounts: Iterable[Money | None]) -> list[Money]:
    totals: dict[str, Money] = {}
    for money in amounts:
        if money is not None:
            known = totals.get(money.currency)
            totals[money.currency] = money if known is None else known + money
    return [totals[currency] for currency in sorted(totals)]
