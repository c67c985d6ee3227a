"""What billing says: the events of a term, each with the whole axis as it is after the change."""

from datetime import datetime
from typing import Any

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_contracts.events import CycleExpired, DidRemoved, LedgerPosted, TermChanged
from didflow_contracts.vocabulary import CycleOutcome, RemovalReason, TermReason


def changed(term: Term, reason: TermReason) -> TermChanged:
    """Say the term as it is now, and why it changed."""
    return TermChanged(**_axis(term), reason=reason)


def cycle_expired(
    term: Term, *, period: int, at: datetime, outcome: CycleOutcome, reason: TermReason
) -> CycleExpired:
    """Say that paid time ran out at `at`, and the term as it is after that."""
    return CycleExpired(**_axis(term), period=period, expired_at=at, outcome=outcome, reason=reason)


def posted(term: Term, entry: LedgerEntry) -> LedgerPosted:
    """Say one ledger entry."""
    return LedgerPosted(
        **_whose(term),
        entry_id=entry.entry_id,
        order_id=entry.order_id,
        payer=entry.payer,
        kind=entry.kind,
        money=entry.money,
        period_start=entry.period_start,
        period_end=entry.period_end,
        reverses=entry.reverses,
    )


def removed(term: Term, reason: RemovalReason, *, refunded: bool) -> DidRemoved:
    """Say that the DID is gone for good."""
    return DidRemoved(**_whose(term), reason=reason, refunded=refunded)


def _whose(term: Term) -> dict[str, Any]:
    return {"did_id": term.did_id, "number": term.number, "account": term.account}


def _axis(term: Term) -> dict[str, Any]:
    return _whose(term) | {
        "state": term.state,
        "cycles_left": term.cycles_left,
        "billing_period": term.billing_period,
        "period_start": term.period_start,
        "expires_at": term.expires_at,
        "aging_until": term.aging_until,
    }
