"""What a DID costs: setup once, n times recurring for n months, and full refunds. Source: spec lifecycle, Term."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Unchanged

DAY = timedelta(days=1)
ROUNDED = [
    ("0.335 EUR", {1: "0.34", 3: "1.01", 6: "2.01", 12: "4.02"}),
    ("0.005 EUR", {1: "0.01", 3: "0.02", 6: "0.03", 12: "0.06"}),
    ("0.0049 EUR", {1: "0.00", 3: "0.01", 6: "0.03", 12: "0.06"}),
    ("33.4 JPY", {1: "33", 3: "100", 6: "200", 12: "401"}),
    ("0.5 JPY", {1: "1", 3: "2", 6: "3", 12: "6"}),
    ("1.0005 KWD", {1: "1.001", 3: "3.002", 6: "6.003", 12: "12.006"}),
    ("0 EUR", {1: "0.00", 3: "0.00", 6: "0.00", 12: "0.00"}),
    ("5 KWD", {1: "5.000", 3: "15.000", 6: "30.000", 12: "60.000"}),
]


def price(setup: str, recurring: str, currency: str) -> dict[str, Any]:
    """Return a price."""
    return {
        "setup": {"amount": setup, "currency": currency},
        "recurring": {"amount": recurring, "currency": currency},
    }


@pytest.mark.parametrize("months", [1, 3, 6, 12])
@pytest.mark.parametrize(("monthly", "costs"), ROUNDED, ids=[monthly for monthly, _ in ROUNDED])
def test_n_months_cost_n_times_recurring_rounded_once_to_the_minor_unit(
    start: Any, make: Any, monthly: str, costs: dict[int, str], months: int
) -> None:
    """Halves are rounded up. The first period, a renewal by itself and one by command cost the same."""
    amount, currency = monthly.split()
    billing = start(price=price(amount, amount, currency), billing_period=months)
    billing.run_timers(billing.term.expires_at)
    billing.process(make.renew(months), billing.term.period_start)
    assert [(entry.kind, str(entry.amount)) for entry in billing.ledger] == [
        ("setup", costs[1]),
        ("recurring", costs[months]),
        ("renewal", costs[months]),
        ("renewal", costs[months]),
    ]
    assert {entry.currency for entry in billing.ledger} == {currency}


def test_setup_is_charged_once(start: Any, make: Any) -> None:
    """No renewal charges it again: by itself, early, while aging, or together with a restoration."""
    billing = start(billing_cycles=1)
    billing.run_timers(billing.term.expires_at)
    billing.process(make.renew(), billing.term.period_start)
    billing.run_timers(billing.term.expires_at)
    billing.process(make.renew(), billing.term.expires_at + DAY)
    billing.process(make.cancel(), billing.term.period_start)
    billing.process(make.restore(1), billing.term.expires_at)
    assert [entry.kind for entry in billing.ledger] == ["setup", "recurring", *["renewal"] * 4]


def test_the_first_entries_are_for_the_instant_of_the_purchase(start: Any, make: Any) -> None:
    """The event arrives two days later. Setup comes first, then the period."""
    earlier = make.zero - 2 * DAY
    billing = start(purchased_at=earlier.isoformat())
    assert [(entry.kind, entry.posted_at) for entry in billing.ledger] == [
        ("setup", earlier),
        ("recurring", earlier),
    ]
    assert billing.term.period_start == billing.term.anchor == earlier


def test_a_full_refund_reverses_every_charge_entry_by_entry(start: Any, make: Any) -> None:
    """Each refund names its charge and has its period. A price of zero is reversed, too."""
    billing = start("awaiting", price=price("0", "5.00", "EUR"))
    billing.process(make.renew(3))
    billing.process(make.cancel(), make.zero + DAY)
    charges, refunds = billing.ledger[:3], billing.ledger[3:]
    assert [str(entry.amount) for entry in refunds] == ["0.00", "-5.00", "-15.00"]
    assert [entry.reverses for entry in refunds] == [entry.entry_id for entry in charges]
    assert [(e.period_start, e.period_end) for e in refunds] == [
        (e.period_start, e.period_end) for e in charges
    ]
    assert {entry.posted_at for entry in refunds} == {make.zero + DAY}


def test_a_charge_is_never_refunded_twice(start: Any, make: Any) -> None:
    """What ends the DID again finds nothing to refund: a cancellation, a timer, a withdrawal."""
    billing = start("awaiting")
    billing.process(make.cancel())
    assert billing.bill() == "0.00"
    assert billing.process(make.cancel()).code == "not_found"
    assert billing.process(make.withdrawn(reason="porting_failed")) == Unchanged()
    billing.run_timers(make.zero + 100 * DAY)
    assert (len(billing.ledger), len(billing.published("did.removed"))) == (4, 1)


def test_a_refused_purchase_is_refunded_once_with_every_renewal(new_billing: Any, make: Any) -> None:
    """Inventory was stopped for 400 days, and billing renewed the term by itself and by command."""
    billing = new_billing()
    late = make.zero + 400 * DAY
    billing.process(make.purchased())
    billing.process(make.registration("not_required"))
    billing.process(make.renew(6), late)
    billing.process(make.purchase_refused(late))
    assert (billing.term.state, billing.bill()) == ("closed", "0.00")
    charges = [entry for entry in billing.ledger if entry.kind != "refund"]
    assert len(charges) == 2 + 13 + 1
    assert [entry.reverses for entry in billing.ledger if entry.kind == "refund"] == [
        entry.entry_id for entry in charges
    ]
    assert billing.process(make.purchase_refused(late, sequence=3)) == Unchanged()
    assert len(billing.published("did.removed")) == 0


@pytest.mark.parametrize("registration", ["awaiting", "rejected", "pending", "approved", "not_required"])
@pytest.mark.parametrize("reason", ["hold_ended", "ported_out", "returned"])
def test_a_withdrawn_did_is_closed_at_once_without_refund(
    start: Any, make: Any, registration: str, reason: str
) -> None:
    """Also if its registration was never completed. The reason of inventory is the reason of the removal."""
    billing = start(registration)
    billing.process(make.withdrawn(make.zero + DAY, reason=reason))
    assert [event.topic for event in billing.published_data()[-2:]] == ["term.changed", "did.removed"]
    removed = billing.published_data()[-1]
    assert (removed.reason, removed.refunded, billing.bill()) == (reason, False, "8.00")
    assert (billing.term.state, billing.term.due_at) == ("closed", None)


def test_a_port_in_costs_nothing_until_its_priced_purchase(new_billing: Any, make: Any) -> None:
    """Its state is `none` for 400 days. The first period starts at the purchase, at its own day."""
    billing = new_billing()
    for message in (
        make.porting_started(),
        make.did_changed(stock="porting_in"),
        make.registration("approved"),
    ):
        billing.process(message)
    ported = make.zero + 400 * DAY
    billing.run_timers(ported)
    assert (billing.term.state, billing.ledger, billing.topics()) == ("none", [], ["term.changed"])
    billing.process(make.purchased(ported, acquired="ported_in", order_id="o-2"))
    assert (billing.term.state, billing.term.anchor, billing.bill()) == ("active", ported, "8.00")


def test_a_refund_is_for_no_instant_before_its_charge(new_billing: Any, make: Any) -> None:
    """The refusal arrives late, and billing has renewed the term since. All is reversed at that renewal's instant."""
    billing = new_billing()
    billing.process(make.purchased())
    billing.process(make.registration("not_required"))
    end = billing.term.expires_at
    billing.run_timers(end + DAY)
    billing.process(make.purchase_refused(make.zero + DAY), end + 2 * DAY)
    refunds = [entry for entry in billing.ledger if entry.kind == "refund"]
    assert ({entry.posted_at for entry in refunds}, billing.bill()) == ({end}, "0.00")


@pytest.mark.parametrize("ends_by", ["cancel", "refusal"])
def test_a_purchase_that_is_dated_tomorrow_is_not_refunded_today(
    new_billing: Any, make: Any, ends_by: str
) -> None:
    """The refund is for the instant of its charge. Else the balance of today would be below zero."""
    billing = new_billing()
    billing.process(make.purchased(purchased_at=make.zero + DAY))
    billing.process(make.registration("awaiting"))
    billing.process(make.cancel() if ends_by == "cancel" else make.purchase_refused())
    assert {entry.posted_at for entry in billing.ledger} == {make.zero + DAY}
    assert (len(billing.ledger), billing.bill(), billing.term.state) == (4, "0.00", "closed")


def test_a_renewal_before_the_first_answer_is_refunded_for_no_earlier_instant(
    new_billing: Any, make: Any
) -> None:
    """It was requested after the end that it pays for, at which the answer then removes the DID."""
    billing = new_billing()
    billing.process(make.purchased())
    billing.process(make.renew(), make.zero + 100 * DAY)
    billing.process(make.registration("awaiting", make.zero + 101 * DAY))
    billing.run_timers(make.zero + 101 * DAY)
    refunds = [entry for entry in billing.ledger if entry.kind == "refund"]
    assert (billing.term.state, billing.bill(), len(refunds)) == ("closed", "0.00", 3)
    assert {entry.posted_at for entry in refunds} == {make.zero + 100 * DAY}
    assert billing.published("did.removed")[0].time == billing.term.expires_at
