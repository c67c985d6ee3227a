"""The ledger of a DID against its term. Both are in one database, so every difference is certain.

Source: spec lifecycle, Term; spec billing, Ledger.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final, get_args

from didflow.consistency.codes import Disagreement
from didflow.consistency.rows import DidRows
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_contracts.bounds import INSTANT
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import BillingPeriod

_PERIODS: Final[tuple[BillingPeriod, ...]] = get_args(BillingPeriod)

Wrong = tuple[str, str]
"""The code and the detail of a disagreement."""


def wrong_entries(did: DidRows, term: Term, entries: Sequence[LedgerEntry]) -> Iterator[Disagreement]:
    """Compare the entries of a DID, in the order of their positions, with its term."""
    rules = (_count, _charges, _paid_periods, _refunds)
    for code, detail in (wrong for rule in rules for wrong in rule(term, entries)):
        yield Disagreement(
            code=code, did_id=did.did_id, number=did.number, service="billing", detail=detail, certain=True
        )


def _count(term: Term, entries: Sequence[LedgerEntry]) -> Iterator[Wrong]:
    positions = [entry.position for entry in entries]
    if positions != list(range(1, term.entry_count + 1)):
        yield (
            "entries_missing",
            f"the term counts {term.entry_count} entries, the ledger has {len(positions)}",
        )


def _charges(term: Term, entries: Sequence[LedgerEntry]) -> Iterator[Wrong]:
    allowed = _allowed(term)
    for entry in entries:
        if entry.kind == "refund":
            continue
        money = allowed.get("setup" if entry.kind == "setup" else "period", ())
        if (entry.amount, entry.currency) not in money:
            yield (
                "charge_differs",
                f"entry {entry.position} ({entry.kind}) is {entry.amount} {entry.currency}",
            )
        if (entry.payer, entry.number) != (term.payer, term.number):
            yield "charge_differs", f"entry {entry.position} is for {entry.payer}, {entry.number}"


def _allowed(term: Term) -> dict[str, frozenset[tuple[Decimal, str]]]:
    """Return what a setup and a period can cost. Without a price, nothing is charged."""
    if term.price is None:
        return {}
    setup = term.price.setup.rounded()
    periods = (term.price.of_period(months) for months in _PERIODS)
    return {"setup": frozenset((_pair(setup),)), "period": frozenset(map(_pair, periods))}


def _pair(money: Money) -> tuple[Decimal, str]:
    return money.amount, money.currency


def _paid_periods(term: Term, entries: Sequence[LedgerEntry]) -> Iterator[Wrong]:
    """Each period has one charge, the setup too, and the charges reach to the end of the paid time.

    A term that ends at the last instant of the contract has been cut there, so its end says nothing.
    """
    periods = [entry for entry in entries if entry.kind in ("recurring", "renewal")]
    starts = Counter(entry.period_start for entry in periods)
    for start, times in starts.items():
        if times > 1:
            yield "period_charged_twice", f"{times} charges for the period from {start}"
    setups = sum(entry.kind == "setup" for entry in entries)
    if setups > 1:
        yield "period_charged_twice", f"{setups} charges for the setup"
    if term.price is None:
        return
    if not setups:
        yield "period_not_charged", "no charge for the setup"
    if term.period_start not in starts or len(periods) < term.period:
        yield (
            "period_not_charged",
            f"{len(periods)} charges for {term.period} periods, the last from {term.period_start}",
        )
    last = max((entry.period_end for entry in periods if entry.period_end), default=None)
    paid_until = term.expires_at - timedelta(days=term.free_days) if term.expires_at else None
    if periods and last != paid_until and term.expires_at != INSTANT.most:
        yield "period_not_charged", f"charged until {last}, paid until {paid_until}"


def _refunds(term: Term, entries: Sequence[LedgerEntry]) -> Iterator[Wrong]:
    """Each refund reverses one charge of the DID, each charge once. `term` keeps only charges of its ledger."""
    charges = {entry.entry_id: entry for entry in entries if entry.kind != "refund"}
    reversed_ids: Counter[object] = Counter()
    for entry in entries:
        if entry.kind != "refund":
            continue
        charge = charges.get(entry.reverses) if entry.reverses else None
        reversed_ids[entry.reverses] += 1
        if charge is None or (-entry.amount, entry.currency) != (charge.amount, charge.currency):
            yield "refund_differs", f"entry {entry.position} is {entry.amount} {entry.currency}"
        elif reversed_ids[entry.reverses] > 1:
            yield "refund_differs", f"entry {entry.position} reverses a charge again"
    if kept := {charge.entry_id for charge in term.charges} - charges.keys():
        yield "entries_missing", f"the term keeps {len(kept)} charges that the ledger does not have"
    if sum((entry.amount for entry in entries), Decimal(0)) < 0:
        yield "refund_above_charges", "the entries add up to less than zero"
