"""Decide the commands that change a term: set cycles, renew, cancel, restore.

A closed term, an unknown one and one outside the caller's reach are all refused with `not_found`.
Source of the rules: spec lifecycle, Term.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from didflow_billing.domain import events
from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.periods import charge_period, lengthen_period, start_period
from didflow_billing.domain.removal import remove
from didflow_billing.domain.term import Term, is_running, running_state, transition
from didflow_chassis.decision import Command, Decided, Decision, Refused, Unchanged
from didflow_contracts.bounds import AMOUNT, CYCLES, INSTANT
from didflow_contracts.names import NO_DID
from didflow_contracts.vocabulary import BillingPeriod, TermReason

NOT_FOUND: Final = Refused("not_found", NO_DID)
ATTEMPTS: Final[Mapping[type[Command], str]] = MappingProxyType(
    {SetCycles: "set cycles", Renew: "renew", Cancel: "cancel", Restore: "restore"}
)
"""Command -> what its refusals call it."""


def set_cycles(term: Term | None, command: SetCycles, now: datetime) -> Decision:
    """Set how many times the term renews by itself. 0 makes the running period the last one."""
    priced = _priced(term, command)
    if isinstance(priced, Refused):
        return priced
    if not is_running(priced):
        return _term_ended(priced, command)
    left = command.billing_cycles
    if left is not None and left not in CYCLES:
        message = f"billing_cycles must be {CYCLES.least} to {CYCLES.most}, or null."
        return Refused("out_of_range", message, "billing_cycles")
    if left == priced.cycles_left:
        return Unchanged()
    after = transition(priced, running_state(left), now, cycles_left=left)
    return Decided(state=after, events=(events.term_changed(after, "cycles_set"),))


def renew(term: Term | None, command: Renew, now: datetime) -> Decision:
    """Pay for one more period. It starts at the end of the running period, or now if the term is aging."""
    priced = _priced(term, command)
    if isinstance(priced, Refused):
        return priced
    if priced.state == "canceled":
        return Refused("restore_first", _message(priced, command, "Restore it first."))
    if priced.state == "aging":
        return _restart(priced, command.billing_period, now, "renewed")
    after = transition(lengthen_period(priced, command.billing_period), priced.state, now)
    return _charge_renewal(after, now, priced.expires_at, "renewed")


def cancel(term: Term | None, command: Cancel, now: datetime) -> Decision:
    """Cancel the term. A DID whose registration was never completed is removed at once.

    It is refunded unless a reviewer has its details. While its registration is pending, it is removed only
    on request and without refund. Source: spec lifecycle, Term and Registration never completed.
    """
    priced = _priced(term, command)
    if isinstance(priced, Refused):
        return priced
    if priced.registration is None:
        return Refused("not_ready", "Verification has not answered yet. Try again in a few seconds.")
    under_review = not priced.completed and priced.registration == "pending"
    if not is_running(priced):
        is_repeat = priced.state == "canceled" and not (command.remove and under_review)
        return Unchanged() if is_repeat else _term_ended(priced, command)
    if under_review and command.remove:
        return remove(priced, "canceled_awaiting_registration", now)
    if not priced.completed and not under_review:
        return remove(priced, "canceled_awaiting_registration", now, refunded=True)
    after = transition(priced, "canceled", now)
    return Decided(state=after, events=(events.term_changed(after, "canceled"),))


def restore(term: Term | None, command: Restore, now: datetime) -> Decision:
    """Undo a cancellation: free while paid time is left, with a renewal if none is left."""
    priced = _priced(term, command)
    if isinstance(priced, Refused):
        return priced
    if priced.state != "canceled":
        return Refused("not_canceled", _message(priced, command, "Only a canceled term can be restored."))
    if priced.aging_until is None:
        after = transition(priced, running_state(priced.cycles_left), now)
        return Decided(state=after, events=(events.term_changed(after, "restored"),))
    if command.billing_period is None:
        hint = "No paid time is left. Give a billing_period to renew."
        return Refused("renewal_needed", _message(priced, command, hint), "billing_period")
    return _restart(priced, command.billing_period, now, "restored")


def _priced(term: Term | None, command: Command) -> Term | Refused:
    """Return the term if it has a price and lies in the caller's reach, else the refusal."""
    if term is None or term.state == "closed" or not command.caller.reaches(term.account):
        return NOT_FOUND
    if term.state == "none":
        return Refused("no_term", _message(term, command, "This DID has no price, so it never expires."))
    return term


def _term_ended(term: Term, command: Command) -> Refused:
    hint = "Renew it first." if term.state == "aging" else "Restore it first."
    return Refused("term_ended", _message(term, command, hint))


def _message(term: Term, command: Command, hint: str) -> str:
    """Name the attempt and the state. Source: spec lifecycle, The axes and their closed tables."""
    return f"You cannot {ATTEMPTS[type(command)]} now: the state of the term is {term.state}. {hint}"


def _restart(term: Term, months: BillingPeriod, now: datetime, reason: TermReason) -> Decision:
    after = transition(start_period(term, months, now), running_state(term.cycles_left), now)
    return _charge_renewal(after, now, now, reason)


def _charge_renewal(term: Term, now: datetime, start: datetime | None, reason: TermReason) -> Decision:
    """Charge a renewal. Refused `out_of_range` if its cost or its end is not allowed. Source: spec events, Bounds."""
    months = term.billing_period
    if term.price and months and term.price.of_period(months).amount not in AMOUNT:
        message = f"{months} months of this DID would cost more than {AMOUNT.most:,}."
        return Refused("out_of_range", message, "billing_period")
    if term.expires_at is None or term.expires_at >= INSTANT.most:
        return Refused("out_of_range", f"The term would end after {INSTANT.most:%Y-%m-%d}.", "billing_period")
    after, entry = charge_period(term, "renewal", now, start=start)
    published = (events.term_changed(after, reason), events.ledger_posted(after, entry))
    return Decided(state=after, also=(entry,), events=published)
