"""Quotes: what a command would charge or refund. A quote makes the real decision on a copy and discards it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.domain.term_changes import cancel, renew, restore, set_cycles
from didflow_billing.domain.timers import on_due
from didflow_chassis.decision import Command, Decided, Decision
from didflow_contracts.money import Money

DECISIONS: Final[Mapping[type[Command], Any]] = MappingProxyType(
    {SetCycles: set_cycles, Renew: renew, Cancel: cancel, Restore: restore}
)
"""Command -> its decision."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """The decision of a command, and the amounts that it would charge and refund. Both amounts are >= 0."""

    decision: Decision
    charge: Money | None = None
    refund: Money | None = None


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
    entries: tuple[LedgerEntry, ...] = decision.also if isinstance(decision, Decided) else ()
    return Quote(
        decision=decision,
        charge=_sum(entry for entry in entries if entry.kind != "refund"),
        refund=_sum(entry for entry in entries if entry.kind == "refund"),
    )


def _sum(entries: Iterable[LedgerEntry]) -> Money | None:
    found = list(entries)
    if not found:
        return None
    total = abs(sum((entry.amount for entry in found), Decimal()))
    return Money(amount=total, currency=found[0].currency)
