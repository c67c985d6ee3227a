"""In every order of events, and with late timers, a DID ends in the same state and costs the same."""

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


def result_of(billing: Any) -> tuple[Any, ...]:
    """Return what must not depend on the order: the term, the entries and the published topics with their counts.

    Whether a reminder was published does depend on it: an outdated state of the registration is not reminded of.
    """
    entries = Counter((e.kind, e.amount, e.period_start, e.period_end) for e in billing.ledger)
    term = replace(billing.term, entry_count=0, charges=(), reminded=None)
    return term, entries, Counter(topic for topic in billing.topics() if topic != "term.expiring")


def reminders_of(billing: Any) -> list[Any]:
    """Return the end and the days of each published reminder."""
    return [(data.ends_at, data.days) for data in billing.published_data("term.expiring")]


def effects(billing: Any) -> tuple[Any, ...]:
    """Return all effects of billing with their instants."""
    published = [(event.time, event.data) for event in billing.published()]
    return (
        billing.term,
        published,
        billing.ledger,
        billing.refusals(),
        billing.parked(),
        billing.dead_letters(),
    )


def first_days(make: Any) -> list[list[Any]]:
    """Return lists of events of the first days of a DID, in the order in which they became true."""
    at = [make.zero + n * HOUR for n in range(8)]
    purchased, accepted = make.purchased(at[0]), make.did_changed(at[1], 1)
    awaiting, pending = make.registration("awaiting", at[1], 1), make.registration("pending", at[2], 2)
    approved, handed_on = make.registration("approved", at[3], 3), make.registration("awaiting", at[4], 4)
    moved = make.did_changed(at[5], 2, account="master/acme/shop")
    return [
        [purchased, accepted, awaiting, pending, approved],
        [purchased, accepted, make.registration("not_required", at[1], 1), moved],
        [purchased, accepted, awaiting, pending, approved, handed_on],
        [purchased, awaiting, make.purchase_refused(at[2])],
        [purchased, make.registration("not_required", at[1], 1), make.purchase_refused(at[2])],
        [purchased, accepted, awaiting, make.registration("rejected", at[2], 2)],
        [purchased, accepted, moved, awaiting, pending, make.withdrawn(at[6])],
    ]


@pytest.mark.parametrize("which", range(7))
@settings(deadline=None)
@given(data=st.data())
def test_every_order_of_events_gives_the_same_term_and_entries(
    new_billing: Any, make: Any, which: int, data: st.DataObject
) -> None:
    """This holds for all permutations, with repeats."""
    events = first_days(make)[which]
    ordered, shuffled = new_billing(), new_billing()
    for event in events:
        ordered.process(event, make.zero + DAY)
    extra = data.draw(st.lists(st.sampled_from(events), max_size=2))
    for event in data.draw(st.permutations([*events, *extra])):
        shuffled.process(event, make.zero + DAY)
    for billing in (ordered, shuffled):
        billing.run_timers(make.zero + 100 * DAY)
        assert (billing.parked(), billing.dead_letters()) == ([], [])
        assert len(reminders_of(billing)) == len(set(reminders_of(billing)))
    assert result_of(shuffled) == result_of(ordered)


@settings(deadline=None)
@given(data=st.data())
def test_every_order_of_a_port_in_gives_the_same_term_and_entries(
    new_billing: Any, make: Any, data: st.DataObject
) -> None:
    """If the purchase arrives before the porting that it ends, one event fewer is published."""
    ported = make.purchased(make.zero + 4 * HOUR, acquired="ported_in", order_id="o-2")
    events = [make.porting_started(), make.did_changed(), make.registration("not_required"), ported]
    ordered, shuffled = new_billing(), new_billing()
    for event in events:
        ordered.process(event, make.zero + DAY)
    for event in data.draw(st.permutations(events)):
        shuffled.process(event, make.zero + DAY)
    assert (shuffled.term, shuffled.ledger) == (ordered.term, ordered.ledger)


def lives(make: Any) -> st.SearchStrategy[list[tuple[timedelta, Any]]]:
    """Return up to eight messages over 300 days, each with its time after the purchase."""
    registrations = ["awaiting", "pending", "approved", "rejected", "expired", "not_required"]
    messages = st.one_of(
        st.sampled_from(registrations).map(lambda r: ("registration", r)),
        st.sampled_from([None, 0, 1, 2]).map(lambda n: ("set_cycles", n)),
        st.sampled_from([1, 3]).map(lambda n: ("renew", n)),
        st.sampled_from([None, 1, 6]).map(lambda n: ("restore", n)),
        st.sampled_from([("cancel", False), ("cancel", True), ("did_changed", None), ("withdrawn", None)]),
    )
    hours = st.integers(1, 300 * 24).map(lambda h: h * HOUR)
    return st.lists(st.tuples(hours, messages), max_size=8).map(lambda life: sorted(life, key=lambda m: m[0]))


def messages_of(make: Any, life: list[tuple[timedelta, Any]], first: str) -> list[tuple[Any, Any]]:
    """Build the messages with their instants. Sequences increase."""
    messages = [(make.purchased(), make.zero), (make.registration(first, make.zero, 1), make.zero)]
    for n, (after, (name, value)) in enumerate(life, start=2):
        at = make.zero + after
        if name == "registration":
            message: Any = make.registration(value, at, n)
        elif name in ("did_changed", "withdrawn"):
            message = getattr(make, name)(at, n)
        elif name == "cancel":
            message = make.cancel(remove=value)
        else:
            message = getattr(make, name)(value)
        messages.append((message, at))
    return messages


@settings(deadline=None)
@given(data=st.data(), first=st.sampled_from(["awaiting", "not_required", "pending"]))
def test_late_timers_give_the_same_events_and_entries(
    new_billing: Any, make: Any, data: st.DataObject, first: str
) -> None:
    """Timers that run every hour and timers that run once at the end have the same effects at the same instants."""
    messages = messages_of(make, data.draw(lives(make)), first)
    end = make.zero + 366 * DAY
    punctual, late = new_billing(), new_billing()
    for message, at in messages:
        punctual.run_timers(at)
        punctual.process(message, at)
        late.process(message, at)
    for hours in range(0, 366 * 24, 24 * 7):
        punctual.run_timers(make.zero + hours * HOUR)
    for billing in (punctual, late):
        billing.run_timers(end)
    assert effects(late) == effects(punctual)
    check_reminders(late)


def check_reminders(billing: Any) -> None:
    """Each reminder is published once, in its time: it is past, its end is not, and no nearer one is past."""
    reminders = [(event.time, event.data) for event in billing.published("term.expiring")]
    assert len({(data.ends_at, data.days) for _, data in reminders}) == len(reminders)
    for at, data in reminders:
        nearer = {30: 7, 7: 1, 1: 0}[data.days]
        assert data.ends_at - data.days * DAY <= at < data.ends_at - nearer * DAY


@settings(deadline=None)
@given(data=st.data(), first=st.sampled_from(["awaiting", "not_required", "pending"]))
def test_the_ledger_adds_up(new_billing: Any, make: Any, data: st.DataObject, first: str) -> None:
    """Each entry is published, a charge is refunded at most once, and a refunded DID costs nothing."""
    billing = new_billing()
    for message, at in messages_of(make, data.draw(lives(make)), first):
        billing.process(message, at)
    billing.run_timers(make.zero + 366 * DAY)
    charges = {e.entry_id: e for e in billing.ledger if e.kind != "refund"}
    refunds = [e for e in billing.ledger if e.kind == "refund"]
    assert len({e.reverses for e in refunds}) == len(refunds)
    assert all(charges[e.reverses].amount == -e.amount for e in refunds)
    published = [event for event in billing.published_data() if event.topic == "ledger.posted"]
    assert [event.entry_id for event in published] == [e.entry_id for e in billing.ledger]
    assert [e.position for e in billing.ledger] == list(range(1, len(billing.ledger) + 1))
    refunded = any(event.topic == "did.removed" and event.refunded for event in billing.published_data())
    periods = sum(charge.amount for charge in charges.values()) - Decimal(3)
    assert billing.bill() == ("0.00" if refunded else str(periods + 3))
    assert periods % 5 == 0


@settings(deadline=None)
@given(data=st.data(), first=st.sampled_from(["awaiting", "not_required", "pending"]))
def test_paid_periods_never_overlap(new_billing: Any, make: Any, data: st.DataObject, first: str) -> None:
    """Each paid period starts at or after the end of the one before."""
    billing = new_billing()
    for message, at in messages_of(make, data.draw(lives(make)), first):
        billing.process(message, at)
    billing.run_timers(make.zero + 366 * DAY)
    paid = [e for e in billing.ledger if e.kind in ("recurring", "renewal")]
    assert all(e.period_start < e.period_end for e in paid)
    assert all(after.period_start >= before.period_end for before, after in pairwise(paid))
