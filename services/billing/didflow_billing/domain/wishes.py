"""What is done about the wishes for a term: set cycles, renew, cancel, restore, each with its refusals.

What is closed, unknown or another's is `not_found`, all alike. Source of the rules: spec lifecycle, Term.
"""

from datetime import datetime

from didflow_billing.domain import said
from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.endings import removed
from didflow_billing.domain.paid import begun, paid, prolonged
from didflow_billing.domain.term import Term, is_running, moved, running_state
from didflow_chassis.decision import Command, Decided, Decision, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import BillingPeriod, TermReason

MOST_CYCLES = 999
"""The highest count of renewals. Source: spec lifecycle, Term."""

TERM_ENDED = Refused("term_ended", "the term has ended")


def set_cycles(term: Term | None, command: SetCycles, now: datetime) -> Decision:  # noqa: ARG001
    """Set how often the term renews by itself; 0 makes the running period the last one."""
    own = _priced(term, command)
    if isinstance(own, Refused):
        return own
    if not is_running(own):
        return TERM_ENDED
    left = command.billing_cycles
    if left is not None and not 0 <= left <= MOST_CYCLES:
        return Refused("out_of_range", f"cycles are 0 to {MOST_CYCLES}, or null", "billing_cycles")
    if left == own.cycles_left:
        return Unchanged()
    after = moved(own, running_state(left), cycles_left=left)
    return Decided(state=after, events=(said.changed(after, "cycles_set"),))


def renew(term: Term | None, command: Renew, now: datetime) -> Decision:
    """Pay for one more period: at the end of the running one, or from now on for a term in the pool."""
    own = _priced(term, command)
    if isinstance(own, Refused):
        return own
    if own.state == "canceled":
        return Refused("restore_first", "a canceled term has to be restored before it is renewed")
    if own.state == "aging":
        return _begun_anew(own, command.billing_period, now, "renewed")
    after = moved(prolonged(own, command.billing_period), own.state)
    return _charged(after, now, own.expires_at, "renewed")


def cancel(term: Term | None, command: Cancel, now: datetime) -> Decision:
    """Cancel; a DID whose registration was never completed may go at once, refunded if nobody reviews it.

    Source: spec lifecycle, Term and Registration never completed.
    """
    own = _priced(term, command)
    if isinstance(own, Refused):
        return own
    if own.registration is None:
        return Refused("not_ready", "verification has not said yet whether registration is required")
    under_review = not own.completed and own.registration == "pending"
    if not is_running(own):
        again = own.state == "canceled" and not (command.remove and under_review)
        return Unchanged() if again else TERM_ENDED
    if under_review and command.remove:
        return removed(own, "canceled_awaiting_registration", now)
    if not own.completed and not under_review:
        return removed(own, "canceled_awaiting_registration", now, refunded=True)
    after = moved(own, "canceled")
    return Decided(state=after, events=(said.changed(after, "canceled"),))


def restore(term: Term | None, command: Restore, now: datetime) -> Decision:
    """Take a cancellation back: free while time is left, with a renewal when it is not."""
    own = _priced(term, command)
    if isinstance(own, Refused):
        return own
    if own.state != "canceled":
        return Refused("not_canceled", "only a canceled term can be restored")
    if own.aging_until is None:
        after = moved(own, running_state(own.cycles_left))
        return Decided(state=after, events=(said.changed(after, "restored"),))
    if command.billing_period is None:
        return Refused("renewal_needed", "no time is left: say for which billing period to renew")
    return _begun_anew(own, command.billing_period, now, "restored")


def _priced(term: Term | None, command: Command) -> Term | Refused:
    """Give the term that the caller may see and that has a price, or say why there is none."""
    caller = command.caller
    if term is None or term.state == "closed":
        return Refused("not_found", "there is no such number")
    if caller.role != "operator" and not is_within(term.account, caller.account):
        return Refused("not_found", "there is no such number")
    if term.state == "none":
        return Refused("no_term", "this number has no price, so it never expires")
    return term


def _begun_anew(term: Term, months: BillingPeriod, now: datetime, reason: TermReason) -> Decided[Term]:
    after = moved(begun(term, months, now), running_state(term.cycles_left))
    return _charged(after, now, now, reason)


def _charged(term: Term, now: datetime, start: datetime | None, reason: TermReason) -> Decided[Term]:
    after, entry = paid(term, "renewal", now, start=start)
    return Decided(
        state=after, also=(entry,), events=(said.changed(after, reason), said.posted(after, entry))
    )
