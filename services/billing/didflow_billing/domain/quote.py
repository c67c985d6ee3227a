"""What a wish would cost: the very decision that would be made now, made on a copy and thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.expiry import on_due
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.domain.wishes import cancel, renew, restore, set_cycles
from didflow_chassis.decision import Command, Decided, Decision
from didflow_contracts.money import Money

WISHES: Final[Mapping[type[Command], Any]] = MappingProxyType(
    {SetCycles: set_cycles, Renew: renew, Cancel: cancel, Restore: restore}
)
"""Wish -> the decision about it."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What would come of a wish: its outcome, what it charges and what it gives back, both >= 0."""

    outcome: Decision
    charge: Money | None = None
    refund: Money | None = None


def settled(term: Term, now: datetime) -> Term:
    """Let everything happen to the term that is due up to `now`, each at its own instant."""
    while term.due_at is not None and term.due_at <= now:
        outcome = on_due(term, term.due_at)
        if not isinstance(outcome, Decided) or outcome.state is None:
            break
        term = outcome.state
    return term


def quote(term: Term | None, command: Command, now: datetime) -> Quote:
    """Say what the wish would do to the term if it came now. Source: spec http, quote."""
    before = None if term is None else settled(term, now)
    outcome: Decision = WISHES[type(command)](before, command, now)
    entries = outcome.also if isinstance(outcome, Decided) else ()
    return Quote(
        outcome=outcome,
        charge=_sum(entry for entry in entries if entry.kind != "refund"),
        refund=_sum(entry for entry in entries if entry.kind == "refund"),
    )


def _sum(entries: Any) -> Money | None:
    found: list[LedgerEntry] = list(entries)
    if not found:
        return None
    return Money(amount=abs(sum((e.amount for e in found), Decimal())), currency=found[0].currency)
