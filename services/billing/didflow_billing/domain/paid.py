"""Paid time: one more period on a term, from its end or from now, always with its ledger entry.

The anchor moves only when time starts anew; then months are counted from there.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_billing.domain.ledger import LedgerEntry, charge, period_cost
from didflow_billing.domain.periods import EXTENSION, months_after
from didflow_billing.domain.term import Term
from didflow_contracts.vocabulary import BillingPeriod, EntryKind


def begun(term: Term, months: BillingPeriod, since: datetime) -> Term:
    """Start a period at `since`, which becomes the anchor."""
    return replace(
        term,
        billing_period=months,
        period=term.period + 1,
        period_start=since,
        anchor=since,
        anchor_months=months,
        expires_at=months_after(since, months),
        aging_until=None,
        extended=0,
    )


def prolonged(term: Term, months: BillingPeriod) -> Term:
    """Let the running period end `months` later, counted from the anchor that it has."""
    if term.anchor is None:
        raise ValueError("a term without a period cannot be prolonged")
    total = term.anchor_months + months
    return replace(
        term,
        billing_period=months,
        anchor_months=total,
        expires_at=months_after(term.anchor, total),
        extended=0,
    )


def followed(term: Term, months: BillingPeriod) -> Term:
    """Let the next period follow on the end of the last one, on the same anchor."""
    after = prolonged(term, months)
    return replace(after, period=term.period + 1, period_start=term.expires_at)


def extended(term: Term) -> Term:
    """Give one free day more and anchor anew at its end.

    Source: spec lifecycle, Registration never completed.
    """
    if term.expires_at is None:
        raise ValueError("a term without a period cannot be extended")
    until = term.expires_at + EXTENSION
    return replace(term, expires_at=until, anchor=until, anchor_months=0, extended=term.extended + 1)


def paid(term: Term, kind: EntryKind, at: datetime, *, start: datetime | None) -> tuple[Term, LedgerEntry]:
    """Post what the time from `start` to the term's end costs: one period of its present length."""
    if term.price is None or term.billing_period is None:
        raise ValueError("a term without a price has nothing to pay")
    cost = period_cost(term.price, term.billing_period)
    return charge(term, kind, cost, at, start=start, end=term.expires_at)
