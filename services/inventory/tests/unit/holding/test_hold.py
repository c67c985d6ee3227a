"""A hold by hand: until when it lasts, and what comes after it in each of the four ways."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Unchanged
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.packages.package import Package, PackageClient, Selection, client_key

PACKAGE_ID = derived_id("package")
DAYS = 3
SECOND = timedelta(seconds=1)


@pytest.fixture
def held(purchased: Any, make: Any) -> Any:
    """A function that puts the DID on hold, and returns the inventory."""
    purchased.decide(make.registration("not_required"))

    def hold(**fields: Any) -> Any:
        purchased.decide(make.about(c.HoldDid, days=DAYS, **fields))
        return purchased

    return hold


def test_a_hold_is_shown_until_its_instant_and_not_after_it(held: Any, make: Any) -> None:
    """A second before the end it is on hold. At the end it is what it was. The term goes on."""
    stage = held()
    end = make.zero + timedelta(days=DAYS)
    assert (stage.did.holding.until, stage.did.listing.status) == (end, "hold")
    stage.advance(end - make.zero - SECOND)
    assert stage.did.holding.stock == "on_hold"
    stage.advance(SECOND)
    holding = stage.did.holding
    assert (holding.stock, holding.until, holding.after_hold, holding.held_by) == (
        "assigned",
        None,
        None,
        None,
    )
    assert stage.published("did.withdrawn") == []
    assert [each.stock for each in stage.published_data("did.changed")] == ["assigned", "on_hold", "assigned"]
    assert stage.history[-1].type == "timer.hold_end"
    assert (stage.history[-1].at, stage.history[-1].actor) == (end, "service:inventory")


@pytest.mark.parametrize("after_hold", ["in_stock", "reserved", "archived"])
def test_after_the_hold_the_number_is_where_after_hold_says(held: Any, make: Any, after_hold: Any) -> None:
    """The DID is withdrawn at that instant. The number is not free before its carrier has released it."""
    stage = held(after_hold=after_hold)
    stage.change_did(origin="stock")
    stage.store(replace(stage.number, uploaded_by=make.account))
    stage.advance(timedelta(days=DAYS))

    holding = stage.did.holding
    assert (holding.stock, holding.removal_reason) == ("removed", "hold_ended")
    assert holding.removed_at == make.zero + timedelta(days=DAYS)
    assert (stage.number.stock, stage.number.did_id, stage.number.releasing) == (after_hold, None, True)
    assert stage.number.uploaded_by == make.account
    assert [each.reason for each in stage.published_data("did.withdrawn")] == ["hold_ended"]
    assert stage.published_data("did.changed")[-1].stock == "removed"


def test_the_removal_by_billing_after_a_withdrawal_changes_nothing(held: Any, make: Any) -> None:
    """The number stays where it is, and the release by the carrier makes it free."""
    stage = held(after_hold="archived")
    stage.change_did(origin="stock")
    stage.advance(timedelta(days=DAYS))
    before = stage.did, stage.number
    assert isinstance(stage.decide(make.removed()), Unchanged)
    assert (stage.did, stage.number) == before
    stage.decide(make.routing("released", 9))
    assert (stage.number.releasing, stage.number.stock) == (False, "archived")


def test_a_blocked_did_is_blocked_again_after_its_hold(held: Any, make: Any) -> None:
    """By hand, and when the hold runs out. Whoever blocked it is remembered."""
    stage = held()
    stage.decide(make.about(c.UnholdDid))
    stage.decide(make.about(c.BlockDid))
    held()
    assert stage.did.holding.stock == "on_hold"
    stage.decide(make.about(c.UnholdDid))
    assert (stage.did.holding.stock, stage.did.holding.blocked_by) == ("blocked", make.account)
    held()
    stage.advance(timedelta(days=DAYS))
    assert (stage.did.holding.stock, stage.did.holding.blocked_by) == ("blocked", make.account)


def test_a_hold_that_does_not_say_what_follows_takes_what_the_did_has(held: Any, make: Any) -> None:
    """The edit of a DID on hold changes what follows at once."""
    stage = held()
    stage.decide(make.about(c.EditDid, edits=c.Edits(after_hold="archived")))
    assert stage.did.holding.after_hold == "archived"
    stage.decide(make.about(c.UnholdDid))
    assert stage.did.holding.after_hold is None
    held()
    assert stage.published_data("did.changed")[-1].after_hold == "archived"


def test_a_hold_set_by_a_package_is_not_ended_by_hand(held: Any, make: Any) -> None:
    """The package ends it."""
    stage = held()
    stage.change_did(held_by="package", last_step="hold")
    assert stage.code(make.about(c.UnholdDid)) == "held_by_package"
    assert stage.code(make.about(c.HoldDid, days=DAYS)) == "wrong_stock_state"


@pytest.mark.parametrize("is_by_hand", [True, False])
@pytest.mark.parametrize(("package", "client"), [("inactive", True), ("active", False)])
def test_after_a_hold_by_hand_an_inactive_package_holds_its_number(
    held: Any, make: Any, is_by_hand: bool, package: Any, client: bool
) -> None:
    """Otherwise a client could keep its numbers by holding them while its package is deactivated."""
    stage = held()
    key = client_key(PACKAGE_ID, make.account)
    stage.store(
        Package(
            package_id=PACKAGE_ID,
            account="master",
            name="Ten",
            count=10,
            selection=Selection(),
            hold_days=5,
            state=package,
            created_at=make.zero,
        ),
        PackageClient(key=key, package_id=PACKAGE_ID, account=make.account, active=client, since=make.zero),
    )
    stage.change_did(package_key=key)
    start = make.zero + timedelta(days=0 if is_by_hand else DAYS)
    if is_by_hand:
        stage.decide(make.about(c.UnholdDid))
    else:
        stage.advance(timedelta(days=DAYS))
    holding = stage.did.holding
    assert (holding.stock, holding.held_by, holding.until) == (
        "on_hold",
        "package",
        start + timedelta(days=5),
    )
    assert stage.code(make.about(c.UnholdDid)) == "held_by_package"
    stage.advance(timedelta(days=5))
    assert stage.did.holding.stock == "assigned"


def test_another_hold_of_a_did_on_hold_is_refused(held: Any, make: Any) -> None:
    """A repeat is unchanged, also later: it does not last longer. Other days are another hold."""
    stage = held()
    stage.set_time(make.zero + timedelta(days=1))
    assert isinstance(stage.decide(make.about(c.HoldDid, days=DAYS)), Unchanged)
    assert stage.code(make.about(c.HoldDid, days=DAYS + 1)) == "wrong_stock_state"
    assert stage.code(make.about(c.BlockDid)) == "wrong_stock_state"


def test_a_message_after_the_end_of_a_hold_finds_the_hold_ended(held: Any, make: Any) -> None:
    """No timer has run in between. What was due before is settled first."""
    stage = held(after_hold="archived")
    stage.set_time(make.zero + timedelta(days=DAYS + 1))
    assert stage.code(make.about(c.UnholdDid)) == "not_found"
    assert stage.did.holding.removed_at == make.zero + timedelta(days=DAYS)
