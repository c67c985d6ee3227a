"""Whatever order messages come in, and however late the clock is, a DID ends the same and costs the same."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def end_of(billing: Any) -> tuple[Any, ...]:
    """What must not depend on the order: the term, the bill, and how often each thing was said."""
    lines = Counter((e.kind, e.amount, e.period_start, e.period_end) for e in billing.ledger)
    return replace(billing.term, entries=0, charges=()), lines, Counter(billing.topics())


def effects(billing: Any) -> tuple[Any, ...]:
    """Everything that billing has done, with its instants."""
    published = [(event.time, event.data) for event in billing.published()]
    return (
        billing.term,
        published,
        billing.ledger,
        billing.refusals(),
        billing.parked(),
        billing.dead_letters(),
    )


def beginnings(say: Any) -> list[list[Any]]:
    """The events of one DID's first days, in the order in which they became true."""
    at = [say.zero + n * HOUR for n in range(8)]
    bought, held = say.purchased(at[0]), say.holding(at[1], 1)
    awaiting, pending = say.registration("awaiting", at[1], 1), say.registration("pending", at[2], 2)
    approved, again = say.registration("approved", at[3], 3), say.registration("awaiting", at[4], 4)
    moved = say.holding(at[5], 2, account="master/acme/shop")
    return [
        [bought, held, awaiting, pending, approved],
        [bought, held, say.registration("not_required", at[1], 1), moved],
        [bought, held, awaiting, pending, approved, again],
        [bought, awaiting, say.refused(at[2])],
        [bought, say.registration("not_required", at[1], 1), say.refused(at[2])],
        [bought, held, awaiting, say.registration("rejected", at[2], 2)],
        [bought, held, moved, awaiting, pending, say.withdrawn(at[6])],
    ]


@pytest.mark.parametrize("which", range(7))
@settings(deadline=None)
@given(data=st.data())
def test_every_order_of_one_dids_events_ends_the_same(
    new_billing: Any, say: Any, which: int, data: st.DataObject
) -> None:
    """All permutations, with repeats: the same term, the same bill, the same events said, as often."""
    events = beginnings(say)[which]
    straight, shuffled = new_billing(), new_billing()
    for event in events:
        straight.process(event, say.zero + DAY)
    extra = data.draw(st.lists(st.sampled_from(events), max_size=2))
    for event in data.draw(st.permutations([*events, *extra])):
        shuffled.process(event, say.zero + DAY)
    for billing in (straight, shuffled):
        billing.run_timers(say.zero + 100 * DAY)
        assert (billing.parked(), billing.dead_letters()) == ([], [])
    assert end_of(shuffled) == end_of(straight)


@settings(deadline=None)
@given(data=st.data())
def test_every_order_of_a_port_in_ends_in_the_same_term_and_bill(
    new_billing: Any, say: Any, data: st.DataObject
) -> None:
    """The purchase may overtake the porting that it ends: one announcement fewer, the same term."""
    ported = say.purchased(say.zero + 4 * HOUR, acquired="ported_in", order_id="o-2")
    events = [say.porting_started(), say.holding(), say.registration("not_required"), ported]
    straight, shuffled = new_billing(), new_billing()
    for event in events:
        straight.process(event, say.zero + DAY)
    for event in data.draw(st.permutations(events)):
        shuffled.process(event, say.zero + DAY)
    assert (shuffled.term, shuffled.ledger) == (straight.term, straight.ledger)


def lives(say: Any) -> st.SearchStrategy[list[tuple[timedelta, Any]]]:
    """Lives of up to 300 days: days (with their hours) and what comes on them."""
    registrations = ["awaiting", "pending", "approved", "rejected", "expired", "not_required"]
    messages = st.one_of(
        st.sampled_from(registrations).map(lambda r: ("registration", r)),
        st.sampled_from([None, 0, 1, 2]).map(lambda n: ("set_cycles", n)),
        st.sampled_from([1, 3]).map(lambda n: ("renew", n)),
        st.sampled_from([None, 1, 6]).map(lambda n: ("restore", n)),
        st.sampled_from([("cancel", False), ("cancel", True), ("holding", None), ("withdrawn", None)]),
    )
    hours = st.integers(1, 300 * 24).map(lambda h: h * HOUR)
    return st.lists(st.tuples(hours, messages), max_size=8).map(lambda life: sorted(life, key=lambda m: m[0]))


def told(say: Any, life: list[tuple[timedelta, Any]], first: str) -> list[tuple[Any, Any]]:
    """Build a life's messages with their instants, sequences rising."""
    messages = [(say.purchased(), say.zero), (say.registration(first, say.zero, 1), say.zero)]
    for n, (after, (name, value)) in enumerate(life, start=2):
        at = say.zero + after
        if name == "registration":
            message: Any = say.registration(value, at, n)
        elif name in ("holding", "withdrawn"):
            message = getattr(say, name)(at, n)
        elif name == "cancel":
            message = say.cancel(remove=value)
        else:
            message = getattr(say, name)(value)
        messages.append((message, at))
    return messages


@settings(deadline=None)
@given(data=st.data(), first=st.sampled_from(["awaiting", "not_required", "pending"]))
def test_a_clock_that_was_down_for_a_year_gives_the_same_events_and_entries(
    new_billing: Any, say: Any, data: st.DataObject, first: str
) -> None:
    """Punctual to the hour, or silent until the end: every event and entry at the same instant, in order."""
    messages = told(say, data.draw(lives(say)), first)
    end = say.zero + 366 * DAY
    punctual, late = new_billing(), new_billing()
    for message, at in messages:
        punctual.run_timers(at)
        punctual.process(message, at)
        late.process(message, at)
    for hours in range(0, 366 * 24, 24 * 7):
        punctual.run_timers(say.zero + hours * HOUR)
    for billing in (punctual, late):
        billing.run_timers(end)
    assert effects(late) == effects(punctual)


@settings(deadline=None)
@given(data=st.data(), first=st.sampled_from(["awaiting", "not_required", "pending"]))
def test_the_ledger_of_a_life_adds_up(new_billing: Any, say: Any, data: st.DataObject, first: str) -> None:
    """What was posted was said; a charge is taken back at most once; a refunded life costs nothing."""
    billing = new_billing()
    for message, at in told(say, data.draw(lives(say)), first):
        billing.process(message, at)
    billing.run_timers(say.zero + 366 * DAY)
    charges = {e.entry_id: e for e in billing.ledger if e.kind != "refund"}
    refunds = [e for e in billing.ledger if e.kind == "refund"]
    assert len({e.reverses for e in refunds}) == len(refunds)
    assert all(charges[e.reverses].amount == -e.amount for e in refunds)
    said = [event for event in billing.published_data() if event.topic == "ledger.posted"]
    assert [event.entry_id for event in said] == [e.entry_id for e in billing.ledger]
    assert [e.line for e in billing.ledger] == list(range(1, len(billing.ledger) + 1))
    refunded = any(event.topic == "did.removed" and event.refunded for event in billing.published_data())
    periods = sum(charge.amount for charge in charges.values()) - Decimal(3)
    assert billing.bill() == ("0.00" if refunded else str(periods + 3))
    assert periods % 5 == 0


@settings(deadline=None)
@given(data=st.data(), first=st.sampled_from(["awaiting", "not_required", "pending"]))
def test_paid_time_has_no_gap_and_no_overlap(
    new_billing: Any, say: Any, data: st.DataObject, first: str
) -> None:
    """Each paid period starts at or after the end of the one before; nothing is paid twice."""
    billing = new_billing()
    for message, at in told(say, data.draw(lives(say)), first):
        billing.process(message, at)
    billing.run_timers(say.zero + 366 * DAY)
    paid = [e for e in billing.ledger if e.kind in ("recurring", "renewal")]
    assert all(e.period_start < e.period_end for e in paid)
    assert all(after.period_start >= before.period_end for before, after in pairwise(paid))
