"""The ledger: append-only entries, charges above zero and refunds below, that together are the whole bill.

An entry's id follows from its DID and its place in the DID's count: deciding again makes the same entry.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_billing.domain.term import Charge, Term, is_refundable
from didflow_contracts.events.purchase import Price
from didflow_contracts.ids import derived_id
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import BillingPeriod, EntryKind


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """One line of the ledger, never changed. `posted_at` is the instant of the decision, not of its writing.

    `line` is its place in the count of its DID, from 1; `reverses` names the charge taken back.
    """

    entry_id: UUID
    did_id: UUID
    number: str
    line: int
    order_id: str | None
    payer: str
    kind: EntryKind
    amount: Decimal
    currency: str
    period_start: datetime | None
    period_end: datetime | None
    reverses: UUID | None
    posted_at: datetime

    @property
    def money(self) -> Money:
        """The amount in its currency; a refund is negative."""
        return _money(str(self.amount), self.currency)


@lru_cache(maxsize=1_024)
def _money(amount: str, currency: str) -> Money:
    """Make money of an entry: entries are many, amounts are few. As decimals 1.5 and 1.50 would be one."""
    return Money(amount=Decimal(amount), currency=currency)


def period_cost(price: Price, months: BillingPeriod) -> Money:
    """Give what a period of `months` costs, in the currency's minor unit. Source: spec lifecycle, Term."""
    return (price.recurring * months).rounded()


def charge(
    term: Term,
    kind: EntryKind,
    money: Money,
    at: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> tuple[Term, LedgerEntry]:
    """Post one charge and remember it on the term for a refund, unless the time of refunds is over."""
    entry = _entry(term, kind, money, at, start=start, end=end)
    charged = Charge(entry_id=entry.entry_id, money=money, period_start=start, period_end=end)
    kept = (*term.charges, charged) if is_refundable(term) else ()
    return replace(term, entries=term.entries + 1, charges=kept), entry


def refund(term: Term, at: datetime) -> tuple[Term, tuple[LedgerEntry, ...]]:
    """Take back every charge that is still remembered, entry by entry. Source: spec lifecycle, Term."""
    entries: list[LedgerEntry] = []
    for taken in term.charges:
        entry = _entry(
            term,
            "refund",
            -taken.money,
            at,
            start=taken.period_start,
            end=taken.period_end,
            reverses=taken.entry_id,
        )
        entries.append(entry)
        term = replace(term, entries=term.entries + 1)
    return replace(term, charges=()), tuple(entries)


def _entry(
    term: Term,
    kind: EntryKind,
    money: Money,
    at: datetime,
    *,
    start: datetime | None,
    end: datetime | None,
    reverses: UUID | None = None,
) -> LedgerEntry:
    count = term.entries + 1
    return LedgerEntry(
        entry_id=derived_id("ledger", term.did_id, str(count)),
        did_id=term.did_id,
        number=term.number,
        line=count,
        order_id=term.order_id,
        payer=term.payer,
        kind=kind,
        amount=money.amount,
        currency=money.currency,
        period_start=start,
        period_end=end,
        reverses=reverses,
        posted_at=at,
    )
