"""What must hold for every DID after every step, whatever has happened. It is read from the outside only.

Source: spec lifecycle, The axes and Term; spec billing, Ledger.
"""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from didflow_contracts.envelope import Event

NEXT: Final = {
    None: {"none", "active", "delayed_removal"},
    "none": {"active", "delayed_removal", "closed"},
    "active": {"delayed_removal", "canceled", "aging", "closed"},
    "delayed_removal": {"active", "canceled", "aging", "closed"},
    "canceled": {"active", "delayed_removal", "closed"},
    "aging": {"delayed_removal", "closed"},
    "closed": set(),
}
"""The transitions of the term, as lifecycle.md lists them."""

AXIS: Final = ("term.changed", "cycle.expired")
AGING: Final = timedelta(days=34)
DAY: Final = timedelta(days=1)


def check_invariants(term: Any, entries: Sequence[Any], events: Sequence[Event[Any]]) -> None:
    """Check one DID."""
    assert [each.sequence for each in events] == list(range(1, len(events) + 1))
    if term is not None:
        _ledger(term, entries, events)
        _states(term, events)
        _periods(term, entries, events)
        _reminders(events)


def _ledger(term: Any, entries: Sequence[Any], events: Sequence[Event[Any]]) -> None:
    """Every entry is published once. A refund reverses one charge in full. No period is charged twice."""
    assert [each.position for each in entries] == list(range(1, len(entries) + 1))
    assert term.entry_count == len(entries)
    posted = [each.data for each in events if each.data.topic == "ledger.posted"]
    assert [each.entry_id for each in posted] == [each.entry_id for each in entries]
    assert [(e.money, e.kind, e.reverses) for e in posted] == [(e.money, e.kind, e.reverses) for e in entries]
    assert sum(Fraction(each.money.amount) for each in posted) == sum(Fraction(e.amount) for e in entries)
    charges = {each.entry_id: each for each in entries if each.kind != "refund"}
    refunds = [each for each in entries if each.kind == "refund"]
    assert all(each.amount >= 0 and each.reverses is None for each in charges.values())
    assert len({each.reverses for each in refunds}) == len(refunds)
    for each in refunds:
        charge = charges[each.reverses]
        assert (charge.amount, charge.currency, charge.payer) == (-each.amount, each.currency, each.payer)
        assert charge.position < each.position
        assert charge.posted_at <= each.posted_at
    starts = [each.period_start for each in charges.values() if each.kind in ("recurring", "renewal")]
    assert len(set(starts)) == len(starts)
    assert len({each.currency for each in entries}) <= 1
    removals = [each.data for each in events if each.data.topic == "did.removed"]
    if any(each.refunded for each in removals):
        assert {each.reverses for each in refunds} == charges.keys()


def _states(term: Any, events: Sequence[Event[Any]]) -> None:
    """Only listed transitions happen, and each published term is complete in itself. The last one is the present."""
    axis = [each for each in events if each.data.topic in AXIS]
    removed = [each for each in events if each.data.topic == "did.removed"]
    has_no_price = any(each.data.reason == "no_price" for each in removed)
    before = None
    for event in axis:
        data = event.data
        assert data.state == before or data.state in NEXT[before] or (has_no_price and before is None)
        before = data.state
        if data.state in ("active", "delayed_removal"):
            assert (data.cycles_left == 0) == (data.state == "delayed_removal")
            assert data.aging_until is None
        if data.state == "aging":
            assert data.aging_until == data.expires_at + AGING
        if data.state == "canceled":
            assert data.aging_until in (None, data.expires_at + AGING)
    published = axis[-1].data
    names = ("state", "cycles_left", "billing_period", "period_start", "expires_at", "aging_until")
    assert [getattr(term, name) for name in names] == [getattr(published, name) for name in names]
    assert term.due_at is None or term.due_at <= (term.aging_until or term.expires_at)
    assert len(removed) <= 1
    if removed:
        assert term.state == "closed"
        assert all(each.sequence < removed[0].sequence for each in axis)


def _periods(term: Any, entries: Sequence[Any], events: Sequence[Event[Any]]) -> None:
    """Paid periods do not overlap. While the term runs without a stop, there is no gap between them either."""
    paid = [(e.period_start, e.period_end) for e in entries if e.kind in ("recurring", "renewal")]
    assert all(start < end for start, end in paid)
    assert all(before[1] <= after[0] for before, after in pairwise(paid))
    if term.price is None:
        assert paid == []
        return
    assert paid[0][0] == term.purchased_at
    assert paid[-1][1] + term.free_days * DAY == term.expires_at
    outcomes = {each.data.outcome for each in events if each.data.topic == "cycle.expired"}
    if not outcomes & {"extended", "expired"}:
        assert all(before[1] == after[0] for before, after in pairwise(paid))
    if any(each.data.topic == "cycle.expired" for each in events):
        ends = [each.data for each in events if each.data.topic == "cycle.expired"]
        assert [each.period for each in ends] == sorted(each.period for each in ends)
        assert all(before.expired_at < after.expired_at for before, after in pairwise(ends))


def _reminders(events: Sequence[Event[Any]]) -> None:
    """Each reminder of an end is published once, not earlier than its days, before the end, and in order."""
    reminders = [each for each in events if each.data.topic == "term.expiring"]
    named = [(each.data.ends_at, each.data.days) for each in reminders]
    assert len(set(named)) == len(named)
    for event in reminders:
        data = event.data
        assert data.ends_at - data.days * DAY <= event.time < data.ends_at
        assert data.days in ((7, 1) if data.reason in ("canceled", "aging") else (30, 7, 1))
    for before, after in pairwise(reminders):
        assert before.data.ends_at != after.data.ends_at or before.data.days > after.data.days
