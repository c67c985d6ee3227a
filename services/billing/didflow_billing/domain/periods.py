"""Paid periods: their calendar, how one follows another, and what a period costs.

Periods are calendar months, counted from the anchor and never from the last end. This is what brings a period
that ended on 28 February back to 31 March. The anchor moves only when paid time starts anew.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from didflow_billing.domain.ledger import LedgerEntry, charge
from didflow_billing.domain.term import Term
from didflow_contracts.instants import later, months_after
from didflow_contracts.vocabulary import BillingPeriod, EntryKind

AGING_TIME = timedelta(days=34)
"""How long an expired DID can still be renewed. Source: spec product, The words (SAP)."""

FREE_DAY = timedelta(days=1)
"""One extension for a registration that is still pending. Source: spec lifecycle, Registration never completed."""


def start_period(term: Term, months: BillingPeriod, start: datetime) -> Term:
    """Start a period at `start`, which becomes the anchor."""
    return replace(
        term,
        billing_period=months,
        period=term.period + 1,
        period_start=start,
        anchor=start,
        anchor_months=months,
        expires_at=months_after(start, months),
        aging_until=None,
        free_days=0,
    )


def lengthen_period(term: Term, months: BillingPeriod) -> Term:
    """Move the end of the running period by `months`. The anchor stays."""
    if term.anchor is None:
        raise ValueError("A term without a period cannot be lengthened.")
    total = term.anchor_months + months
    return replace(
        term,
        billing_period=months,
        anchor_months=total,
        expires_at=months_after(term.anchor, total),
        free_days=0,
    )


def next_period(term: Term, months: BillingPeriod) -> Term:
    """Start the next period at the end of the running one. The anchor stays."""
    after = lengthen_period(term, months)
    return replace(after, period=term.period + 1, period_start=term.expires_at)


def add_free_day(term: Term) -> Term:
    """Move the end of the period by one day at no charge. The new end becomes the anchor.

    Source: spec lifecycle, Registration never completed.
    """
    if term.expires_at is None:
        raise ValueError("A term without a period cannot be extended.")
    until = later(term.expires_at, FREE_DAY)
    return replace(term, expires_at=until, anchor=until, anchor_months=0, free_days=term.free_days + 1)


def charge_period(
    term: Term, kind: EntryKind, at: datetime, *, start: datetime | None
) -> tuple[Term, LedgerEntry]:
    """Post the cost of one period, from `start` to the end of the term."""
    if term.price is None or term.billing_period is None:
        raise ValueError("A term without a price cannot be charged.")
    cost = term.price.of_period(term.billing_period)
    return charge(term, kind, cost, at, start=start, end=term.expires_at)
