"""What the clock does: each end of paid time, and the end of the pool, settled at its own instant.

Only the term decides; `at` is the instant that was due, so a late clock does what a punctual one did.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_billing.domain import said
from didflow_billing.domain.endings import removed
from didflow_billing.domain.paid import extended, followed, paid
from didflow_billing.domain.periods import MOST_EXTENSIONS, POOL
from didflow_billing.domain.term import Term, moved, running_state
from didflow_chassis.decision import Decided, Decision, Unchanged
from didflow_contracts.vocabulary import CycleOutcome, TermReason, TermState


def on_due(term: Term, at: datetime) -> Decision:
    """Settle what falls due at `at`. Source: spec lifecycle, Term.

    The end of the pool removes. The end of paid time puts a canceled term into the pool, removes or
    extends one whose registration was never completed, and renews or ages the others.
    """
    if term.due_at is None or term.due_at > at:
        return Unchanged()
    if term.aging_until is not None:
        return removed(term, "aged_out", at)
    if term.state == "canceled":
        return _expired(term, "canceled", at)
    if not term.completed:
        return _unregistered(term, at)
    if term.cycles_left == 0:
        return _expired(term, "aging", at)
    return _renewed(term, at)


def _expired(term: Term, to: TermState, at: datetime) -> Decided[Term]:
    after = moved(term, to, aging_until=at + POOL)
    return _ended(after, term.period, at, "expired", "expired")


def _unregistered(term: Term, at: datetime) -> Decided[Term]:
    """Source: spec lifecycle, Registration never completed."""
    if term.registration == "pending" and term.extended < MOST_EXTENSIONS:
        return _ended(moved(extended(term), term.state), term.period, at, "extended", "extended")
    gone = removed(term, "registration_not_completed", at, refunded=True)
    after = gone.state or term
    end = said.cycle_expired(after, period=term.period, at=at, outcome="removed", reason="closed")
    return replace(gone, events=(end, *gone.events))


def _renewed(term: Term, at: datetime) -> Decided[Term]:
    left = None if term.cycles_left is None else term.cycles_left - 1
    months = term.billing_period
    if months is None:
        raise ValueError("a term that runs has a billing period")
    last = left == 0
    after = moved(followed(term, months), running_state(left), cycles_left=left)
    after, entry = paid(after, "renewal", at, start=at)
    outcome: CycleOutcome = "delayed_removal" if last else "renewed"
    ended = _ended(after, term.period, at, outcome, "delayed" if last else "renewed")
    return replace(ended, also=(entry,), events=(*ended.events, said.posted(after, entry)))


def _ended(
    after: Term, period: int, at: datetime, outcome: CycleOutcome, reason: TermReason
) -> Decided[Term]:
    end = said.cycle_expired(after, period=period, at=at, outcome=outcome, reason=reason)
    return Decided(state=after, events=(end, said.changed(after, reason)))
