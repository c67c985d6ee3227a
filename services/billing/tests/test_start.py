"""How a term starts, what is posted then, and what a second start does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Refused, Unchanged


def test_a_purchase_starts_the_first_period_and_posts_setup_and_period(story: Any, say: Any) -> None:
    """One purchase: an active term to the end of its first month, and two charges for it."""
    story.take(say.purchased())
    assert story.topics() == ["term.changed", "ledger.posted", "ledger.posted"]
    assert (story.last.state, story.last.period) == ("active", 1)
    assert story.last.expires_at == datetime(2026, 2, 28, 12, 30, tzinfo=UTC)
    assert [(e.kind, str(e.amount)) for e in story.ledger] == [("setup", "3.00"), ("recurring", "5.00")]
    assert (story.ledger[1].period_start, story.ledger[1].period_end) == (say.zero, story.last.expires_at)


def test_the_term_is_said_whole(story: Any, say: Any) -> None:
    """The first event carries state, cycles, period and its ends, and why."""
    story.take(say.purchased(billing_cycles=4, billing_period=3))
    said = story.said[0][1]
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
    story: Any, say: Any, months: int, monthly: str, cost: str
) -> None:
    """The monthly price is multiplied first and rounded after, halves up, as the currency counts."""
    amount, currency = monthly.split()
    price = {name: {"amount": amount, "currency": currency} for name in ("setup", "recurring")}
    story.take(say.purchased(price=price, billing_period=months))
    assert (str(story.ledger[1].amount), story.ledger[1].currency) == (cost, currency)


def test_the_setup_is_rounded_to_the_minor_unit_too(story: Any, say: Any) -> None:
    """No line of the ledger has fractions of the smallest coin."""
    price = {name: {"amount": "1.005", "currency": "EUR"} for name in ("setup", "recurring")}
    story.take(say.purchased(price=price))
    assert [str(entry.amount) for entry in story.ledger] == ["1.01", "1.01"]


def test_a_purchase_with_no_renewals_left_is_in_its_last_period(story: Any, say: Any) -> None:
    """Cycles 0 at the purchase: delayed removal from the start."""
    story.take(say.purchased(billing_cycles=0))
    assert story.last.state == "delayed_removal"


def test_a_period_runs_from_when_it_was_purchased(story: Any, say: Any) -> None:
    """`purchased_at` wins over the time of the event."""
    earlier = say.zero - timedelta(days=2)
    story.take(say.purchased(purchased_at=earlier.isoformat()))
    assert story.last.period_start == earlier


def test_without_a_price_there_is_no_term_and_no_charge(story: Any, say: Any) -> None:
    """A number handed out without a price never expires and costs nothing."""
    story.take(say.unpriced())
    story.take(say.registration("not_required"))
    assert (story.last.state, story.last.due_at, story.ledger) == ("none", None, [])
    assert story.topics() == ["term.changed"]


def test_a_port_in_has_no_term_until_the_priced_purchase(story: Any, say: Any) -> None:
    """`none` while porting; the purchase of the same DID starts the term then, from that day."""
    story.take(say.porting_started())
    story.take(say.registration("not_required"))
    assert story.last.state == "none"
    ported = say.zero + timedelta(days=20)
    story.take(say.purchased(ported, acquired="ported_in"))
    assert (story.last.state, story.last.period_start) == ("active", ported)
    assert story.last.due_at == story.last.expires_at
    assert story.bill() == "8.00"


def test_who_purchases_a_ported_number_pays_for_it(story: Any, say: Any) -> None:
    """Not who had the porting started."""
    story.take(say.porting_started(account="master/acme/shop"))
    story.take(say.purchased(acquired="ported_in", source="/didflow/inventory", order_id="o-2"))
    assert {(entry.payer, entry.order_id) for entry in story.ledger} == {(say.account, "o-2")}


def test_a_porting_that_is_heard_after_its_purchase_changes_nothing(story: Any, say: Any) -> None:
    """Topics have no order among each other: the term has started already."""
    story.take(say.purchased(acquired="ported_in"))
    before = story.last
    assert story.take(say.porting_started()) == Unchanged()
    assert story.last == before


def test_a_second_purchase_of_a_did_is_not_a_second_charge(story: Any, say: Any) -> None:
    """Another event id, the same `did_id`: nothing happens."""
    story.take(say.purchased())
    assert story.take(say.purchased()) == Unchanged()
    assert story.bill() == "8.00"


def test_a_purchase_of_anothers_did_is_refused(story: Any, say: Any) -> None:
    """An order system cannot speak for a DID of another account."""
    story.take(say.purchased())
    outcome = story.take(say.purchased(account="master/other"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


def test_inventory_may_name_the_present_holder(story: Any, say: Any) -> None:
    """Between our services the account is information."""
    story.take(say.purchased())
    assert story.take(say.purchased(account="master/other", source="/didflow/inventory")) == Unchanged()


def test_a_did_id_belongs_to_one_number(story: Any, say: Any) -> None:
    """The same `did_id` with another number is refused."""
    story.take(say.purchased())
    story.take(say.purchased(number="+35319609037"))
    assert story.refused == ["did_id_taken"]


def test_what_comes_for_a_refused_purchase_starts_nothing(story: Any, say: Any) -> None:
    """Closed is for good: neither a purchase nor a porting opens it again."""
    story.take(say.purchased())
    story.take(say.refused())
    assert story.take(say.purchased()) == Unchanged()
    assert story.take(say.porting_started()) == Unchanged()
    assert story.last.state == "closed"
