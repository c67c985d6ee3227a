"""Build the events that billing publishes. Each event about the term carries the whole axis after the change."""

from datetime import datetime
from typing import Any

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.reminders import Ending
from didflow_billing.domain.term import Term
from didflow_contracts.events import CycleExpired, DidRemoved, LedgerPosted, TermChanged, TermExpiring
from didflow_contracts.vocabulary import CycleOutcome, ReminderDays, RemovalReason, TermReason


def term_changed(term: Term, reason: TermReason) -> TermChanged:
    """Return the event for a change of the term. `term` is the term after the change."""
    return TermChanged(**_axis(term), reason=reason)


def cycle_expired(
    term: Term, *, period: int, at: datetime, outcome: CycleOutcome, reason: TermReason
) -> CycleExpired:
    """Return the event for the end of paid time at `at`. `term` is the term after that end."""
    return CycleExpired(**_axis(term), period=period, expired_at=at, outcome=outcome, reason=reason)


def term_expiring(term: Term, ending: Ending, days: ReminderDays) -> TermExpiring:
    """Return the reminder that stands for so many days before the end of the term."""
    return TermExpiring(**_did(term), ends_at=ending.at, days=days, reason=ending.reason)


def ledger_posted(term: Term, entry: LedgerEntry) -> LedgerPosted:
    """Return the event for one ledger entry."""
    return LedgerPosted(
        **_did(term),
        entry_id=entry.entry_id,
        order_id=entry.order_id,
        payer=entry.payer,
        kind=entry.kind,
        money=entry.money,
        period_start=entry.period_start,
        period_end=entry.period_end,
        reverses=entry.reverses,
    )


def did_removed(term: Term, reason: RemovalReason, *, refunded: bool) -> DidRemoved:
    """Return the event for the removal of the DID."""
    return DidRemoved(**_did(term), reason=reason, refunded=refunded)


def _did(term: Term) -> dict[str, Any]:
    return {"did_id": term.did_id, "number": term.number, "account": term.account}


def _axis(term: Term) -> dict[str, Any]:
    return _did(term) | {
        "state": term.state,
        "cycles_left": term.cycles_left,
        "billing_period": term.billing_period,
        "period_start": term.period_start,
        "expires_at": term.expires_at,
        "aging_until": term.aging_until,
    }
