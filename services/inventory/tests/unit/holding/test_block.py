"""Block and unblock: only the tier that blocked, or one above, unblocks."""

from typing import Any

from didflow_chassis.decision import Unchanged
from didflow_inventory.domain.holding import commands as c


def test_a_number_that_was_blocked_above_is_not_unblocked_below(purchased: Any, make: Any) -> None:
    """The tier above it unblocks it, and so does an operator."""
    above = make.caller("master", "master_reseller")
    operator = make.caller("root", "operator")
    purchased.decide(make.about(c.BlockDid, by=above))
    assert purchased.did.holding.blocked_by == "master"
    assert purchased.code(make.about(c.UnblockDid)) == "blocked_above"
    purchased.decide(make.about(c.UnblockDid, by=above))
    assert (purchased.did.holding.stock, purchased.did.holding.blocked_by) == ("assigned", None)
    purchased.decide(make.about(c.BlockDid))
    purchased.decide(make.about(c.UnblockDid, by=operator))
    assert purchased.did.holding.stock == "assigned"


def test_what_an_operator_blocked_only_an_operator_unblocks(purchased: Any, make: Any) -> None:
    """Its account is above all others."""
    operator = make.caller("root", "operator")
    purchased.decide(make.about(c.BlockDid, by=operator))
    assert purchased.code(make.about(c.UnblockDid, by=make.caller("master"))) == "blocked_above"
    purchased.decide(make.about(c.UnblockDid, by=operator))
    assert purchased.did.holding.stock == "assigned"


def test_a_number_that_was_never_blocked_cannot_be_unblocked(purchased: Any, make: Any) -> None:
    """Only the repeat of the last change is unchanged."""
    assert purchased.code(make.about(c.UnblockDid)) == "wrong_stock_state"
    purchased.decide(make.about(c.BlockDid))
    assert isinstance(purchased.decide(make.about(c.BlockDid)), Unchanged)
    assert purchased.code(make.about(c.BlockDid, by=make.caller("master"))) == "wrong_stock_state"


def test_a_blocked_number_is_shown_as_blocked(purchased: Any, make: Any) -> None:
    """Provisioning hears of it by `did.changed`."""
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.about(c.BlockDid))
    assert purchased.did.listing.status == "blocked"
    assert purchased.published_data("did.changed")[-1].stock == "blocked"
    assert purchased.statuses()[-1] == "blocked"
