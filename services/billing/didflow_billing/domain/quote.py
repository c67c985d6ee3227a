"""Quotes: what a command would do, charge and refund. A quote makes the real decision on a copy and discards it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.effect import Effect, effect
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.domain.term_changes import cancel, renew, restore, set_cycles
from didflow_billing.domain.timers import on_due
from didflow_chassis.decision import Command, Decided, Decision, Unchanged
from didflow_contracts.money import Money, Total

DECISIONS: Final[Mapping[type[Command], Any]] = MappingProxyType(
    {SetCycles: set_cycles, Renew: renew, Cancel: cancel, Restore: restore}
)
"""Command -> its decision."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """The decision of a command, what follows from it, and the amounts that it would charge and refund.

    `before` and `after` are the term now and after the command; they and `effect` are None if the caller has no such
    DID. If the command is refused or changes nothing, both are the term as it is, and `effect` is what follows from
    leaving it so. Both amounts are >= 0. `instead` is the quote of `SetCycles` to 0, for a cancellation that gives up
    paid time. `is_repeat` is True if the same request names the DID before.
    """

    command: Command
    decision: Decision
    before: Term | None = None
    after: Term | None = None
    effect: Effect | None = None
    charge: Total | None = None
    refund: Total | None = None
    instead: "Quote | None" = None
    is_repeat: bool = False

    @property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """The ledger entries that the command would post."""
        return self.decision.also if isinstance(self.decision, Decided) else ()


def settle(term: Term, now: datetime) -> Term:
    """Return the term after everything that is due up to `now`, each at its own instant."""
    while term.due_at is not None and term.due_at <= now:
        decision = on_due(term, term.due_at)
        if not isinstance(decision, Decided) or decision.state is None:
            break
        term = decision.state
    return term


def quote(term: Term | None, command: Command, now: datetime) -> Quote:
    """Return what the command would do to the term now. Source: spec http, quote."""
    before = None if term is None else settle(term, now)
    decision: Decision = DECISIONS[type(command)](before, command, now)
    if before is None or before.state == "closed" or not command.caller.reaches(before.account):
        return Quote(command=command, decision=decision)
    after: Term = (decision.state if isinstance(decision, Decided) else None) or before
    entries: tuple[LedgerEntry, ...] = decision.also if isinstance(decision, Decided) else ()
    refund = _sum(-entry.money for entry in entries if entry.kind == "refund")
    gives_up_time = isinstance(command, Cancel) and isinstance(decision, Decided) and refund is None
    return Quote(
        command=command,
        decision=decision,
        before=before,
        after=after,
        effect=effect(before, after, now),
        charge=_sum(entry.money for entry in entries if entry.kind != "refund"),
        refund=refund,
        instead=quote(before, _ending(command), now) if gives_up_time else None,
    )


def repeat(first: Quote, now: datetime) -> Quote:
    """Return the quote of a DID that one request names again: nothing changes after `first`."""
    after = first.after
    is_gone = after is None or after.state == "closed"
    return Quote(
        command=first.command,
        decision=Unchanged(),
        before=None if is_gone else after,
        after=None if is_gone else after,
        effect=None if after is None or is_gone else effect(after, after, now),
        is_repeat=True,
    )


def _ending(command: Command) -> SetCycles:
    """Return the command that ends the term with its paid period."""
    return SetCycles(
        entity_id=command.entity_id, subject=command.subject, caller=command.caller, billing_cycles=0
    )


def _sum(amounts: Iterable[Money]) -> Total | None:
    """Return the sum of amounts, or None if there is none. A DID is charged in one currency."""
    return next(iter(Total.of(amounts)), None)
