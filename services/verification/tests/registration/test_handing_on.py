"""A DID that changes hands: details go with it as long as their identity serves the new holder."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged

HOUR = timedelta(hours=1)
SHOP, GLOBEX = "master/acme/shop", "master/globex"


def test_a_did_handed_down_keeps_its_details(pending: Any, say: Any) -> None:
    """The identity serves the accounts below; the open attempt goes along, for the reviewers there."""
    pending.process(say.holding(SHOP, say.zero + HOUR))
    assert (pending.registration.state, pending.registration.account) == ("pending", SHOP)
    assert (pending.statuses(), pending.attempt().account) == (["pending"], SHOP)
    assert len(pending.axes()) == 2


def test_a_did_that_leaves_awaits_new_details(pending: Any, say: Any) -> None:
    """The open attempt is withdrawn, the details are gone, and the new holder is told."""
    pending.process(say.holding(GLOBEX, say.zero + HOUR))
    event = pending.axes()[-1]
    assert (pending.axis_topics()[-1], event.registration, event.account) == ("required", "awaiting", GLOBEX)
    assert (event.identity_id, event.address_id, event.verification_id) == (None, None, None)
    assert (pending.statuses(), pending.attempt().account) == (["withdrawn"], "master/acme")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_decided_details_leave_too(pending: Any, say: Any, decision: str) -> None:
    """An approved registration ends at once, without grace; a rejected one begins anew."""
    pending.process(getattr(say, decision)())
    pending.process(say.holding(GLOBEX, say.zero + HOUR))
    event = pending.axes()[-1]
    assert (event.registration, event.identity_id, event.grace_until) == ("awaiting", None, None)
    assert (event.reasons, pending.registration.approved) == ((), None)
    assert pending.statuses() == ["approved" if decision == "approve" else "rejected"]


def test_taken_back_by_a_node_above_it_leaves_the_identity_below(stage: Any, say: Any, make: Any) -> None:
    """An identity of the shop does not serve the account above it."""
    shop = make.company("shop", account=SHOP)
    there = make.address(shop)
    stage.store(shop, there)
    say.account = SHOP
    stage.process_all(say.purchased(), say.assigned(shop, there), say.holding("master/acme", say.zero + HOUR))
    assert stage.registration.state == "awaiting"


def test_a_free_number_handed_on_loses_the_details_and_stays_free(
    stage: Any, say: Any, acme: Any, quay: Any
) -> None:
    """`not_required` stays, said again without an identity."""
    say.number = "+442079460000"
    stage.store(acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.holding(GLOBEX, say.zero + HOUR))
    event = stage.axes()[-1]
    assert (event.registration, event.identity_id, stage.in_force) == ("not_required", None, None)


def test_only_what_leaves_is_lost(pending: Any, say: Any, make: Any) -> None:
    """An approved identity of the reseller above serves the next holder too; the open attempt of acme does not."""
    above = make.company("above", account="master")
    there = make.address(above)
    pending.store(above, there)
    pending.process(say.assigned(above, there, at=say.zero + HOUR))
    pending.process(say.approve(2))
    acme = make.company()
    pending.process(say.assigned(acme, make.address(acme), at=say.zero + HOUR))
    pending.process(say.holding(GLOBEX, say.zero + 2 * HOUR))
    event = pending.axes()[-1]
    assert (event.registration, event.identity_id, event.attempt) == ("approved", above.identity_id, 2)
    assert pending.statuses() == ["superseded", "approved", "withdrawn"]


@pytest.mark.parametrize("outcome", ["pending", "rejected"])
def test_an_attempt_that_still_serves_goes_on_when_the_approved_one_leaves(
    pending: Any, say: Any, make: Any, outcome: str
) -> None:
    """The axis goes through awaiting to where the attempt stands."""
    pending.process(say.approve())
    above = make.company("above", account="master")
    there = make.address(above)
    pending.store(above, there)
    pending.process(say.assigned(above, there, at=say.zero + HOUR))
    if outcome == "rejected":
        pending.process(say.reject(2))
    pending.process(say.holding(GLOBEX, say.zero + 2 * HOUR))
    assert pending.axis_topics()[-2:] == ["required", outcome]
    assert [event.registration for event in pending.axes()[-2:]] == ["awaiting", outcome]
    assert (pending.axes()[-1].identity_id, pending.axes()[-1].attempt) == (above.identity_id, 2)


def test_older_news_of_the_holding_is_passed_over(pending: Any, say: Any) -> None:
    """Only a higher sequence counts; what changes no holder is remembered and changes nothing else."""
    assert isinstance(pending.process(say.holding(sequence=7)), Decided)
    for sequence in (6, 5):
        assert pending.process(say.holding(GLOBEX, sequence=sequence)) == Unchanged()
    assert (pending.registration.account, pending.registration.state) == ("master/acme", "pending")


def test_details_assigned_before_and_heard_after_the_handing_on_are_gone_too(
    ready: Any, say: Any, acme: Any, quay: Any
) -> None:
    """They were the former holder's: judged for it, and withdrawn with it."""
    ready.process(say.holding(GLOBEX, say.zero + HOUR))
    ready.process(say.assigned(acme, quay, at=say.zero))
    assert (ready.registration.state, ready.statuses()) == ("awaiting", ["withdrawn"])
    assert (ready.axes()[-1].registration, ready.in_force) == ("awaiting", None)


def test_a_new_holders_own_details_are_judged_for_it(ready: Any, say: Any, make: Any) -> None:
    """The holder at the time of the assignment is whose identity it must be."""
    globex = make.company("globex", account=GLOBEX)
    there = make.address(globex)
    ready.store(globex, there)
    ready.process(say.holding(GLOBEX, say.zero + HOUR))
    ready.process(
        say.assigned(globex, there, at=say.zero + 2 * HOUR, source="/portals/globex", account=GLOBEX)
    )
    assert ready.statuses() == ["pending"]


def test_inventory_knows_the_holder_before_the_handing_on_is_heard(ready: Any, say: Any, make: Any) -> None:
    """Its assignment names the account that held the DID: the late news of the holder takes nothing away."""
    globex = make.company("globex", account=GLOBEX)
    there = make.address(globex)
    ready.store(globex, there)
    ready.process(say.assigned(globex, there, at=say.zero + 2 * HOUR, account=GLOBEX))
    ready.process(say.holding(GLOBEX, say.zero + HOUR))
    assert (ready.statuses(), ready.attempt().account) == (["pending"], GLOBEX)


def test_the_same_details_again_are_held_to_their_later_date(
    pending: Any, say: Any, acme: Any, quay: Any
) -> None:
    """A DID that left and came back keeps details that were assigned again after it came back."""
    pending.process(say.assigned(acme, quay, at=say.zero + 3 * HOUR), now=say.zero + 4 * HOUR)
    pending.process(say.holding(GLOBEX, say.zero + HOUR, sequence=1))
    pending.process(say.holding("master/acme", say.zero + 2 * HOUR, sequence=2))
    assert (pending.registration.state, pending.statuses()) == ("pending", ["pending"])


def test_only_the_details_assigned_again_get_the_later_date(pending: Any, say: Any, make: Any) -> None:
    """The approved ones of another end user stay as old as they are, and leave with the holder of then."""
    pending.process(say.approve())
    above = make.company("above", account="master")
    there = make.address(above)
    pending.store(above, there)
    pending.process(say.assigned(above, there, at=say.zero + HOUR))
    pending.process(
        say.assigned(above, there, at=say.zero + 3 * HOUR, account=GLOBEX), now=say.zero + 4 * HOUR
    )
    pending.process(say.holding(GLOBEX, say.zero + 2 * HOUR))
    assert (pending.registration.state, pending.registration.approved) == ("pending", None)
