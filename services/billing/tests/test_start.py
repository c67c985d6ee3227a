"""How a term starts, what is posted then, and what a second start does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Refused, Unchanged


def test_a_purchase_starts_the_first_period_and_posts_setup_and_period(billing: Any, say: Any) -> None:
    """One purchase: an active term to the end of its first month, and two charges for it."""
    billing.process(say.purchased())
    assert billing.topics() == ["term.changed", "ledger.posted", "ledger.posted"]
    assert (billing.term.state, billing.term.period) == ("active", 1)
    assert billing.term.expires_at == datetime(2026, 2, 28, 12, 30, tzinfo=UTC)
    assert [(e.kind, str(e.amount)) for e in billing.ledger] == [("setup", "3.00"), ("recurring", "5.00")]
    assert (billing.ledger[1].period_start, billing.ledger[1].period_end) == (
        say.zero,
        billing.term.expires_at,
    )


def test_the_term_is_said_whole(billing: Any, say: Any) -> None:
    """The first event carries state, cycles, period and its ends, and why."""
    billing.process(say.purchased(billing_cycles=4, billing_period=3))
    said = billing.published_data()[0]
    assert said.wire() | {"did_id": None} == {
        "did_id": None,
        "number": say.number,
        "account": say.account,
        "state": "active",
        "cycles_left": 4,
        "billing_period": 3,
        "period_start": "2026-01-31T12:30:00Z",
        "expires_at": "2026-04-30T12:30:00Z",
        "aging_until": None,
        "reason": "started",
    }


@pytest.mark.parametrize(
    ("months", "monthly", "cost"),
    [
        (3, "5.00 EUR", "15.00"),
        (12, "0.335 EUR", "4.02"),
        (1, "0.005 EUR", "0.01"),
        (3, "33.4 JPY", "100"),
        (6, "1.0005 KWD", "6.003"),
        (1, "0 EUR", "0.00"),
    ],
)
def test_a_period_costs_its_months_rounded_once_to_the_minor_unit(
    billing: Any, say: Any, months: int, monthly: str, cost: str
) -> None:
    """The monthly price is multiplied first and rounded after, halves up, as the currency counts."""
    amount, currency = monthly.split()
    price = {name: {"amount": amount, "currency": currency} for name in ("setup", "recurring")}
    billing.process(say.purchased(price=price, billing_period=months))
    assert (str(billing.ledger[1].amount), billing.ledger[1].currency) == (cost, currency)


def test_the_setup_is_rounded_to_the_minor_unit_too(billing: Any, say: Any) -> None:
    """No line of the ledger has fractions of the smallest coin."""
    price = {name: {"amount": "1.005", "currency": "EUR"} for name in ("setup", "recurring")}
    billing.process(say.purchased(price=price))
    assert [str(entry.amount) for entry in billing.ledger] == ["1.01", "1.01"]


def test_a_purchase_with_no_renewals_left_is_in_its_last_period(billing: Any, say: Any) -> None:
    """Cycles 0 at the purchase: delayed removal from the start."""
    billing.process(say.purchased(billing_cycles=0))
    assert billing.term.state == "delayed_removal"


def test_a_period_runs_from_when_it_was_purchased(billing: Any, say: Any) -> None:
    """`purchased_at` wins over the time of the event."""
    earlier = say.zero - timedelta(days=2)
    billing.process(say.purchased(purchased_at=earlier.isoformat()))
    assert billing.term.period_start == earlier


def test_without_a_price_there_is_no_term_and_no_charge(billing: Any, say: Any) -> None:
    """A number handed out without a price never expires and costs nothing."""
    billing.process(say.unpriced())
    billing.process(say.registration("not_required"))
    assert (billing.term.state, billing.term.due_at, billing.ledger) == ("none", None, [])
    assert billing.topics() == ["term.changed"]


def test_a_port_in_has_no_term_until_the_priced_purchase(billing: Any, say: Any) -> None:
    """`none` while porting; the purchase of the same DID starts the term then, from that day."""
    billing.process(say.porting_started())
    billing.process(say.registration("not_required"))
    assert billing.term.state == "none"
    ported = say.zero + timedelta(days=20)
    billing.process(say.purchased(ported, acquired="ported_in"))
    assert (billing.term.state, billing.term.period_start) == ("active", ported)
    assert billing.term.due_at == billing.term.expires_at
    assert billing.bill() == "8.00"


def test_who_purchases_a_ported_number_pays_for_it(billing: Any, say: Any) -> None:
    """Not who had the porting started."""
    billing.process(say.porting_started(account="master/acme/shop"))
    billing.process(say.purchased(acquired="ported_in", source="/didflow/inventory", order_id="o-2"))
    assert {(entry.payer, entry.order_id) for entry in billing.ledger} == {(say.account, "o-2")}


def test_a_porting_that_is_heard_after_its_purchase_changes_nothing(billing: Any, say: Any) -> None:
    """Topics have no order among each other: the term has started already."""
    billing.process(say.purchased(acquired="ported_in"))
    before = billing.term
    assert billing.process(say.porting_started()) == Unchanged()
    assert billing.term == before


def test_a_second_purchase_of_a_did_is_not_a_second_charge(billing: Any, say: Any) -> None:
    """Another event id, the same `did_id`: nothing happens."""
    billing.process(say.purchased())
    assert billing.process(say.purchased()) == Unchanged()
    assert billing.bill() == "8.00"


def test_a_purchase_of_anothers_did_is_refused(billing: Any, say: Any) -> None:
    """An order system cannot speak for a DID of another account."""
    billing.process(say.purchased())
    outcome = billing.process(say.purchased(account="master/other"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


def test_inventory_may_name_the_present_holder(billing: Any, say: Any) -> None:
    """Between our services the account is information."""
    billing.process(say.purchased())
    assert billing.process(say.purchased(account="master/other", source="/didflow/inventory")) == Unchanged()


def test_a_did_id_belongs_to_one_number(billing: Any, say: Any) -> None:
    """The same `did_id` with another number is refused."""
    billing.process(say.purchased())
    billing.process(say.purchased(number="+35319609037"))
    assert billing.refusals() == ["did_id_taken"]


def test_what_comes_for_a_refused_purchase_starts_nothing(billing: Any, say: Any) -> None:
    """Closed is for good: neither a purchase nor a porting opens it again."""
    billing.process(say.purchased())
    billing.process(say.refused())
    assert billing.process(say.purchased()) == Unchanged()
    assert billing.process(say.porting_started()) == Unchanged()
    assert billing.term.state == "closed"
