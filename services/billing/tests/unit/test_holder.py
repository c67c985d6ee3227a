"""The holder of a DID, as inventory publishes it. The payer does not change with it."""

from datetime import timedelta
from typing import Any

from didflow_chassis.decision import TooEarly, Unchanged

SHOP = "master/acme/shop"


def test_the_holder_changes_and_the_payer_stays(running: Any, make: Any) -> None:
    """Later events carry the new holder. Later charges go to the account that purchased the DID."""
    running.process(make.did_changed(make.zero, 2, account=SHOP))
    running.run_timers(running.term.expires_at)
    assert {e.account for e in running.published_data()[-3:]} == {SHOP}
    assert running.ledger[-1].payer == make.account


def test_an_outdated_holder_is_ignored(running: Any, make: Any) -> None:
    """An event with a lower sequence does not change the holder."""
    running.process(make.did_changed(make.zero, 5, account=SHOP))
    assert running.process(make.did_changed(make.zero, 4)) == Unchanged()
    assert running.term.account == SHOP


def test_each_axis_has_its_own_sequences(running: Any, make: Any) -> None:
    """A high sequence of inventory does not make an event of verification outdated."""
    running.process(make.did_changed(make.zero, 50))
    running.process(make.registration("expired", make.zero + timedelta(days=1), 2))
    assert running.term.registration == "expired"


def test_a_holder_before_the_purchase_is_parked(billing: Any, make: Any) -> None:
    """It is applied when the purchase arrives."""
    assert isinstance(billing.process(make.did_changed(account=SHOP)), TooEarly)
    billing.process(make.purchased())
    assert (billing.term.account, billing.term.accepted) == (SHOP, True)


def test_a_closed_term_also_gets_the_last_holder(running: Any, make: Any) -> None:
    """Removed DIDs are shown to the account that held them."""
    running.process(make.withdrawn())
    running.process(make.did_changed(make.zero, 2, account=SHOP))
    assert (running.term.state, running.term.account) == ("closed", SHOP)


def test_the_purchase_after_a_porting_keeps_the_holder(billing: Any, make: Any) -> None:
    """The holder that was received before is not overwritten."""
    billing.process(make.porting_started())
    billing.process(make.did_changed(account=SHOP))
    billing.process(make.purchased(acquired="ported_in"))
    assert (billing.term.account, billing.term.payer) == (SHOP, make.account)
