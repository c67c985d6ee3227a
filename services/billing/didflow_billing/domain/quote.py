"""Quotes: what a command would charge or refund. A quote makes the real decision on a copy and discards it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.domain.term_changes import cancel, renew, restore, set_cycles
from didflow_billing.domain.timers import on_due
from didflow_chassis.decision import Command, Decided, Decision
from didflow_contracts.money import Money, Total

DECISIONS: Final[Mapping[type[Command], Any]] = MappingProxyType(
    {SetCycles: set_cycles, Renew: renew, Cancel: cancel, Restore: restore}
)
"""Command -> its decision."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """The decision of a command, and the amounts that it would charge and refund. Both amounts are >= 0."""

    decision: Decision
    charge: Total | None = None
    refund: Total | None = None


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
        charge=_sum(entry.money for entry in entries if entry.kind != "refund"),
        refund=_sum(-entry.money for entry in entries if entry.kind == "refund"),
    )


def _sum(amounts: Iterable[Money]) -> Total | None:
    """Return the sum of amounts, or None if there is none. A DID is charged in one currency."""
    return next(iter(Total.of(amounts)), None)
