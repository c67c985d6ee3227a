"""Refused purchases, failed portings and withdrawn DIDs, and that a closed term stays closed."""

from typing import Any

import pytest

from didflow_chassis.decision import TooEarly, Unchanged


def test_every_charge_of_a_refused_purchase_is_reversed(billing: Any, make: Any) -> None:
    """Each charge has a refund of its own, and the sum is zero."""
    billing.process(make.purchased())
    billing.process(make.purchase_refused())
    assert [str(e.amount) for e in billing.ledger] == ["3.00", "5.00", "-3.00", "-5.00"]
    assert [e.reverses for e in billing.ledger[2:]] == [e.entry_id for e in billing.ledger[:2]]
    assert [e.position for e in billing.ledger] == [1, 2, 3, 4]
    assert billing.topics()[3:] == ["ledger.posted", "ledger.posted", "term.changed"]
    assert (billing.term.state, billing.term.charges) == ("closed", ())


def test_a_refusal_before_its_purchase_is_parked(billing: Any, make: Any) -> None:
    """It refunds when the purchase arrives."""
    assert isinstance(billing.process(make.purchase_refused()), TooEarly)
    billing.process(make.purchased())
    assert (billing.term.state, billing.bill(), billing.parked()) == ("closed", "0.00", [])


def test_a_did_that_was_removed_without_refund_is_refunded_if_its_purchase_is_refused(
    billing: Any, make: Any
) -> None:
    """Nobody pays for a refused purchase, whichever event arrives first."""
    billing.process(make.purchased())
    billing.process(make.registration("pending"))
    billing.process(make.cancel(remove=True))
    assert billing.bill() == "8.00"
    billing.process(make.purchase_refused())
    assert billing.bill() == "0.00"
    assert billing.topics().count("term.changed") == 2


def test_an_accepted_purchase_cannot_be_refused(running: Any, make: Any) -> None:
    """The refusal contradicts an earlier event of inventory. Nothing changes."""
    before = running.term
    running.process(make.purchase_refused())
    assert (running.refusals(), running.term) == (["purchase_accepted"], before)


@pytest.mark.parametrize("registration", ["awaiting", "not_required"])
@pytest.mark.parametrize("first", ["purchase", "withdrawal"])
def test_a_purchase_beside_the_end_of_its_porting_costs_nothing(
    billing: Any, make: Any, registration: Any, first: Any
) -> None:
    """The order system completes a porting that was just canceled. Whichever arrives first, the balance is zero."""
    billing.process(make.porting_started())
    billing.process(make.did_changed(stock="porting_in"))
    billing.process(make.registration(registration))
    events = [make.purchased(acquired="ported_in"), make.withdrawn(reason="porting_failed", sequence=11)]
    for event in events if first == "purchase" else reversed(events):
        billing.process(event)

    assert billing.term.state == "closed"
    assert float(billing.bill()) == 0
    assert len(billing.published("did.removed")) == 1


def test_a_failed_porting_is_removed(billing: Any, make: Any) -> None:
    """A DID without a price is removed like any other."""
    billing.process(make.porting_started())
    billing.process(make.withdrawn(reason="porting_failed"))
    assert billing.topics() == ["term.changed", "term.changed", "did.removed"]


def test_a_withdrawal_before_its_purchase_is_parked_and_a_repeat_changes_nothing(
    billing: Any, make: Any
) -> None:
    """The repeat finds a closed term."""
    assert isinstance(billing.process(make.withdrawn()), TooEarly)
    billing.process(make.purchased())
    assert billing.term.state == "closed"
    assert billing.process(make.withdrawn(sequence=10)) == Unchanged()
