"""Who holds a DID, as inventory says it; who pays does not move with it."""

from datetime import timedelta
from typing import Any

from didflow_chassis.decision import TooEarly, Unchanged

SHOP = "master/acme/shop"


def test_the_holder_moves_and_the_payer_stays(running: Any, say: Any) -> None:
    """What billing says later carries the holder; what it charges goes to the purchaser."""
    running.process(say.holding(say.zero, 2, account=SHOP))
    running.run_timers(running.term.expires_at)
    assert {e.account for e in running.published_data()[-3:]} == {SHOP}
    assert running.ledger[-1].payer == say.account


def test_an_older_holding_is_not_heard(running: Any, say: Any) -> None:
    """Lower sequence: the later holder stays."""
    running.process(say.holding(say.zero, 5, account=SHOP))
    assert running.process(say.holding(say.zero, 4)) == Unchanged()
    assert running.term.account == SHOP


def test_each_axis_counts_for_itself(running: Any, say: Any) -> None:
    """A high sequence of inventory does not silence verification."""
    running.process(say.holding(say.zero, 50))
    running.process(say.registration("expired", say.zero + timedelta(days=1), 2))
    assert running.term.registration == "expired"


def test_a_holding_before_its_purchase_waits(billing: Any, say: Any) -> None:
    """Parked until the purchase has come."""
    assert isinstance(billing.process(say.holding(account=SHOP)), TooEarly)
    billing.process(say.purchased())
    assert (billing.term.account, billing.term.accepted) == (SHOP, True)


def test_the_last_holder_is_kept_on_a_closed_term_too(running: Any, say: Any) -> None:
    """Former DIDs are shown to the account that held them, whatever came last."""
    running.process(say.withdrawn())
    running.process(say.holding(say.zero, 2, account=SHOP))
    assert (running.term.state, running.term.account) == ("closed", SHOP)


def test_the_holder_of_a_ported_number_stays_at_its_purchase(billing: Any, say: Any) -> None:
    """The purchase that ends a porting does not undo a holding heard before."""
    billing.process(say.porting_started())
    billing.process(say.holding(account=SHOP))
    billing.process(say.purchased(acquired="ported_in"))
    assert (billing.term.account, billing.term.payer) == (SHOP, say.account)
