"""Who holds a DID, as inventory says it; who pays does not move with it."""

from datetime import timedelta
from typing import Any

from didflow_chassis.decision import TooEarly, Unchanged

SHOP = "master/acme/shop"


def test_the_holder_moves_and_the_payer_stays(running: Any, say: Any) -> None:
    """What billing says later carries the holder; what it charges goes to the purchaser."""
    running.take(say.holding(say.zero, 2, account=SHOP))
    running.clock(running.last.expires_at)
    assert {e.account for _, e in running.said[-3:]} == {SHOP}
    assert running.ledger[-1].payer == say.account


def test_an_older_holding_is_not_heard(running: Any, say: Any) -> None:
    """Lower or equal sequence: the later holder stays."""
    running.take(say.holding(say.zero, 5, account=SHOP))
    assert running.take(say.holding(say.zero, 4)) == Unchanged()
    assert running.take(say.holding(say.zero, 5)) == Unchanged()
    assert running.last.account == SHOP


def test_each_axis_counts_for_itself(running: Any, say: Any) -> None:
    """A high sequence of inventory does not silence verification."""
    running.take(say.holding(say.zero, 50))
    running.take(say.registration("expired", say.zero + timedelta(days=1), 2))
    assert running.last.registration == "expired"


def test_a_holding_before_its_purchase_waits(story: Any, say: Any) -> None:
    """Parked until the purchase has come."""
    assert isinstance(story.take(say.holding(account=SHOP)), TooEarly)
    story.take(say.purchased())
    assert (story.last.account, story.last.accepted) == (SHOP, True)


def test_the_last_holder_is_kept_on_a_closed_term_too(running: Any, say: Any) -> None:
    """Former DIDs are shown to the account that held them, whatever came last."""
    running.take(say.withdrawn())
    running.take(say.holding(say.zero, 2, account=SHOP))
    assert (running.last.state, running.last.account) == ("closed", SHOP)


def test_the_holder_of_a_ported_number_stays_at_its_purchase(story: Any, say: Any) -> None:
    """The purchase that ends a porting does not undo a holding heard before."""
    story.take(say.porting_started())
    story.take(say.holding(account=SHOP))
    story.take(say.purchased(acquired="ported_in"))
    assert (story.last.account, story.last.payer) == (SHOP, say.account)
