"""The start of a term and its first charges, and repeated purchases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Refused, Unchanged


def test_a_purchase_starts_the_first_period_and_posts_setup_and_period(billing: Any, make: Any) -> None:
    """The term is active until the end of its first month, and there are two charges."""
    billing.process(make.purchased())
    assert billing.topics() == ["term.changed", "ledger.posted", "ledger.posted"]
    assert (billing.term.state, billing.term.period) == ("active", 1)
    assert billing.term.expires_at == datetime(2026, 2, 28, 12, 30, tzinfo=UTC)
    assert [(e.kind, str(e.amount)) for e in billing.ledger] == [("setup", "3.00"), ("recurring", "5.00")]
    assert (billing.ledger[1].period_start, billing.ledger[1].period_end) == (
        make.zero,
        billing.term.expires_at,
    )


def test_term_changed_carries_the_whole_term(billing: Any, make: Any) -> None:
    """The event has the state, the cycles, the period with its ends, and the reason."""
    billing.process(make.purchased(billing_cycles=4, billing_period=3))
    published = billing.published_data()[0]
    assert published.wire() | {"did_id": None} == {
        "did_id": None,
        "number": make.number,
        "account": make.account,
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
    billing: Any, make: Any, months: int, monthly: str, cost: str
) -> None:
    """The monthly price is multiplied first and rounded afterwards, halves up, to the minor unit of the currency."""
    amount, currency = monthly.split()
    price = {name: {"amount": amount, "currency": currency} for name in ("setup", "recurring")}
    billing.process(make.purchased(price=price, billing_period=months))
    assert (str(billing.ledger[1].amount), billing.ledger[1].currency) == (cost, currency)


def test_the_setup_price_is_rounded_to_the_minor_unit(billing: Any, make: Any) -> None:
    """No entry has fractions of the minor unit."""
    price = {name: {"amount": "1.005", "currency": "EUR"} for name in ("setup", "recurring")}
    billing.process(make.purchased(price=price))
    assert [str(entry.amount) for entry in billing.ledger] == ["1.01", "1.01"]


def test_a_purchase_without_renewals_starts_in_its_last_period(billing: Any, make: Any) -> None:
    """With 0 cycles the state is delayed_removal from the start."""
    billing.process(make.purchased(billing_cycles=0))
    assert billing.term.state == "delayed_removal"


def test_the_first_period_starts_at_purchased_at(billing: Any, make: Any) -> None:
    """`purchased_at` takes precedence over the time of the event."""
    earlier = make.zero - timedelta(days=2)
    billing.process(make.purchased(purchased_at=earlier.isoformat()))
    assert billing.term.period_start == earlier


def test_without_a_price_there_is_no_term_and_no_charge(billing: Any, make: Any) -> None:
    """A number that is handed out without a price never expires and costs nothing."""
    billing.process(make.unpriced())
    billing.process(make.registration("not_required"))
    assert (billing.term.state, billing.term.due_at, billing.ledger) == ("none", None, [])
    assert billing.topics() == ["term.changed"]


def test_a_purchase_that_leaves_its_price_to_the_price_list_has_no_term(billing: Any, make: Any) -> None:
    """There is no price list yet, so it is treated like a number that was handed out. Only inventory publishes it."""
    billing.process(replace(make.purchased(price=None), source="/didflow/inventory"))
    assert (billing.term.state, billing.ledger) == ("none", [])


def test_a_port_in_has_no_term_until_the_priced_purchase(billing: Any, make: Any) -> None:
    """The state is `none` during the porting. The purchase of the same DID starts the term."""
    billing.process(make.porting_started())
    billing.process(make.registration("not_required"))
    assert billing.term.state == "none"
    ported = make.zero + timedelta(days=20)
    billing.process(make.purchased(ported, acquired="ported_in"))
    assert (billing.term.state, billing.term.period_start) == ("active", ported)
    assert billing.term.due_at == billing.term.expires_at
    assert billing.bill() == "8.00"


def test_the_account_that_purchases_a_ported_number_pays_for_it(billing: Any, make: Any) -> None:
    """The account that started the porting does not pay."""
    billing.process(make.porting_started(account="master/acme/shop"))
    billing.process(make.purchased(acquired="ported_in", source="/didflow/inventory", order_id="o-2"))
    assert {(entry.payer, entry.order_id) for entry in billing.ledger} == {(make.account, "o-2")}


def test_a_porting_that_arrives_after_its_purchase_changes_nothing(billing: Any, make: Any) -> None:
    """The order of topics is open. The term has already started."""
    billing.process(make.purchased(acquired="ported_in"))
    before = billing.term
    assert billing.process(make.porting_started()) == Unchanged()
    assert billing.term == before


def test_a_second_purchase_of_a_did_is_not_a_second_charge(billing: Any, make: Any) -> None:
    """It has another event id and the same `did_id`."""
    billing.process(make.purchased())
    assert billing.process(make.purchased()) == Unchanged()
    assert billing.bill() == "8.00"


def test_a_purchase_by_another_account_is_refused_not_yours(billing: Any, make: Any) -> None:
    """An outside source may name the holder or an account above it, and no other account."""
    billing.process(make.purchased())
    outcome = billing.process(make.purchased(account="master/other"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


def test_inventory_may_name_any_account(billing: Any, make: Any) -> None:
    """Between didflow services the account is information only."""
    billing.process(make.purchased())
    assert billing.process(make.purchased(account="master/other", source="/didflow/inventory")) == Unchanged()


def test_a_did_id_belongs_to_one_number(billing: Any, make: Any) -> None:
    """The same `did_id` with another number is refused."""
    billing.process(make.purchased())
    billing.process(make.purchased(number="+35319609037"))
    assert billing.refusals() == ["did_id_taken"]


def test_a_closed_term_cannot_be_started_again(billing: Any, make: Any) -> None:
    """Neither a purchase nor a porting opens it."""
    billing.process(make.purchased())
    billing.process(make.purchase_refused())
    assert billing.process(make.purchased()) == Unchanged()
    assert billing.process(make.porting_started()) == Unchanged()
    assert billing.term.state == "closed"
