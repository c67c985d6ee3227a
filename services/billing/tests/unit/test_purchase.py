"""The start of a term and its first charges, and repeated purchases."""

from datetime import UTC, datetime
from typing import Any

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


def test_a_purchase_without_renewals_starts_in_its_last_period(billing: Any, make: Any) -> None:
    """With 0 cycles the state is delayed_removal from the start."""
    billing.process(make.purchased(billing_cycles=0))
    assert billing.term.state == "delayed_removal"


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
