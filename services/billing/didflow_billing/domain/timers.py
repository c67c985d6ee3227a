"""Due timers of a term: reminders, the end of paid time, and the end of aging.

Each is decided for the instant at which it was due, so timers that run late give the same result.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_billing.domain import events
from didflow_billing.domain.periods import (
    AGING_TIME,
    add_free_day,
    charge_period,
    next_period,
)
from didflow_billing.domain.reminders import Reminded
from didflow_billing.domain.removal import remove
from didflow_billing.domain.term import (
    Term,
    due_at_of,
    ending_of,
    is_extended,
    reminder_of,
    running_state,
    transition,
)
from didflow_chassis.decision import Decided, Decision, Unchanged
from didflow_contracts.instants import later
from didflow_contracts.vocabulary import CycleOutcome, TermReason, TermState


def on_due(term: Term, at: datetime) -> Decision:
    """Decide what is due at `at`. Source: spec lifecycle, Term.

    A timer that was set too early is set again. A reminder changes nothing else. At the end of aging the DID is
    removed. At the end of paid time a canceled term ages. If the registration was never completed, the DID is removed
    or gets a free day. All other terms are renewed or age.
    """
    if term.due_at is None or term.due_at > at:
        return Unchanged()
    due_at = due_at_of(term)
    if due_at is None or due_at > term.due_at:
        return Decided(state=replace(term, due_at=due_at))
    reminded = _remind(term, at)
    if reminded is not None:
        return reminded
    if term.aging_until is not None:
        return remove(term, "aged_out", at)
    if term.state == "canceled":
        return _age(term, "canceled", at)
    if not term.completed:
        return _end_without_registration(term, at)
    if term.cycles_left == 0:
        return _age(term, "aging", at)
    return _renew(term, at)


def _remind(term: Term, at: datetime) -> Decided[Term] | None:
    """Publish the reminder that is due. Return None if it is the end that is due."""
    reminder, ending = reminder_of(term), ending_of(term)
    if reminder is None or ending is None or reminder.at != term.due_at:
        return None
    reminded = Reminded(ends_at=ending.at, days=reminder.days)
    after = transition(term, term.state, at, reminded=reminded)
    return Decided(state=after, events=(events.term_expiring(after, ending, reminder.days),))


def _age(term: Term, to: TermState, at: datetime) -> Decided[Term]:
    after = transition(term, to, at, aging_until=later(at, AGING_TIME))
    return _end_period(after, term.period, at, "expired", "expired")


def _end_without_registration(term: Term, at: datetime) -> Decided[Term]:
    """Give a free day while the registration is pending, else remove. Source: spec, Registration never completed."""
    if is_extended(term):
        after = transition(add_free_day(term), term.state, at)
        return _end_period(after, term.period, at, "extended", "extended")
    removal = remove(term, "registration_not_completed", at, refunded=True)
    closed = removal.state or term
    end = events.cycle_expired(closed, period=term.period, at=at, outcome="removed", reason="closed")
    return replace(removal, events=(end, *removal.events))


def _renew(term: Term, at: datetime) -> Decided[Term]:
    left = None if term.cycles_left is None else term.cycles_left - 1
    months = term.billing_period
    if months is None:
        raise ValueError("A running term must have a billing period.")
    is_last = left == 0
    after = transition(next_period(term, months), running_state(left), at, cycles_left=left)
    after, entry = charge_period(after, "renewal", at, start=at)
    outcome: CycleOutcome = "delayed_removal" if is_last else "renewed"
    end = _end_period(after, term.period, at, outcome, "delayed" if is_last else "renewed")
    return replace(end, also=(entry,), events=(*end.events, events.ledger_posted(after, entry)))


def _end_period(
    after: Term, period: int, at: datetime, outcome: CycleOutcome, reason: TermReason
) -> Decided[Term]:
    end = events.cycle_expired(after, period=period, at=at, outcome=outcome, reason=reason)
    return Decided(state=after, events=(end, events.term_changed(after, reason)))
