"""The ledger. Entries are only added: charges above zero and refunds below zero.

The id of an entry is derived from its DID and its position, so the same decision always makes the same entry.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_billing.domain.term import Charge, Term, is_refundable
from didflow_contracts.ids import derived_id
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import EntryKind


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """One entry of the ledger. It never changes.

    `position` counts the entries of a DID, from 1. `reverses` is the charge that a refund takes back.
    `posted_at` is the instant that was decided about, which can be earlier than the instant of writing.
    """

    entry_id: UUID
    did_id: UUID
    number: str
    position: int
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
        """The amount in its currency. A refund is negative."""
        return _money(str(self.amount), self.currency)


@lru_cache(maxsize=1_024)
def _money(amount: str, currency: str) -> Money:
    """Return the money of an entry. The key is a text, because the decimals 1.5 and 1.50 are equal."""
    return Money(amount=Decimal(amount), currency=currency)


def charge(
    term: Term,
    kind: EntryKind,
    money: Money,
    at: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> tuple[Term, LedgerEntry]:
    """Post one charge. The term keeps it for a refund while refunds are possible."""
    entry = _entry(term, kind, money, at, start=start, end=end)
    posted = Charge(entry_id=entry.entry_id, money=money, period_start=start, period_end=end, posted_at=at)
    charges = (*term.charges, posted) if is_refundable(term) else ()
    return replace(term, entry_count=term.entry_count + 1, charges=charges), entry


def refund(term: Term, at: datetime) -> tuple[Term, tuple[LedgerEntry, ...]]:
    """Reverse every charge that the term still keeps, entry by entry. Source: spec lifecycle, Term.

    All refunds are for one instant: `at`, but no instant before a charge. A purchase can be dated the next day.
    """
    at = max([at, *(posted.posted_at for posted in term.charges)])
    entries: list[LedgerEntry] = []
    for posted in term.charges:
        entry = _entry(
            term,
            "refund",
            -posted.money,
            at,
            start=posted.period_start,
            end=posted.period_end,
            reverses=posted.entry_id,
        )
        entries.append(entry)
        term = replace(term, entry_count=term.entry_count + 1)
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
    position = term.entry_count + 1
    return LedgerEntry(
        entry_id=derived_id("ledger", term.did_id, str(position)),
        did_id=term.did_id,
        number=term.number,
        position=position,
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
