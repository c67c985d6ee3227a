"""The handover of a DID: it keeps its details as long as their identity serves the new holder."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged

HOUR = timedelta(hours=1)
SHOP, GLOBEX = "master/acme/shop", "master/globex"


def test_a_did_handed_down_keeps_its_details(pending: Any, build: Any) -> None:
    """The identity serves the accounts below. The open verification moves to the new account, for its reviewers."""
    pending.process(build.did_changed(SHOP, build.zero + HOUR))
    assert (pending.registration.state, pending.registration.account) == ("pending", SHOP)
    assert (pending.statuses(), pending.verification().account) == (["pending"], SHOP)
    assert len(pending.axis_events) == 2


def test_a_did_that_leaves_the_accounts_of_its_identity_awaits_new_details(pending: Any, build: Any) -> None:
    """The open verification is withdrawn, the details are removed, and an event with the new holder is published."""
    pending.process(build.did_changed(GLOBEX, build.zero + HOUR))
    event = pending.axis_events[-1]
    assert (pending.axis_topics()[-1], event.registration, event.account) == ("required", "awaiting", GLOBEX)
    assert (event.identity_id, event.address_id, event.verification_id) == (None, None, None)
    assert (pending.statuses(), pending.verification().account) == (["withdrawn"], "master/acme")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_decided_details_are_removed_too(pending: Any, build: Any, decision: str) -> None:
    """An approved registration ends at once, without grace. A rejected one starts again."""
    pending.process(getattr(build, decision)())
    pending.process(build.did_changed(GLOBEX, build.zero + HOUR))
    event = pending.axis_events[-1]
    assert (event.registration, event.identity_id, event.grace_until) == ("awaiting", None, None)
    assert (event.reasons, pending.registration.approved) == ((), None)
    assert pending.statuses() == ["approved" if decision == "approve" else "rejected"]


def test_a_did_taken_back_loses_the_identity_of_the_account_below(stage: Any, build: Any, make: Any) -> None:
    """An identity of the shop does not serve the account above it."""
    shop = make.company("shop", account=SHOP)
    its_address = make.address(shop)
    stage.store(shop, its_address)
    build.account = SHOP
    stage.process_all(
        build.purchased(),
        build.assigned(shop, its_address),
        build.did_changed("master/acme", build.zero + HOUR),
    )
    assert stage.registration.state == "awaiting"


def test_a_number_without_requirement_loses_its_details_and_stays_not_required(
    stage: Any, build: Any, acme: Any, quay: Any
) -> None:
    """The axis is published again without an identity."""
    build.number = "+442079460000"
    stage.store(acme, quay)
    stage.process_all(
        build.purchased(), build.assigned(acme, quay), build.did_changed(GLOBEX, build.zero + HOUR)
    )
    event = stage.axis_events[-1]
    assert (event.registration, event.identity_id, stage.in_force) == ("not_required", None, None)


def test_approved_details_that_serve_the_new_holder_are_kept(pending: Any, build: Any, make: Any) -> None:
    """The identity of the account above serves the new holder too. The open verification of acme does not."""
    above = make.company("above", account="master")
    its_address = make.address(above)
    pending.store(above, its_address)
    pending.process(build.assigned(above, its_address, at=build.zero + HOUR))
    pending.process(build.approve(2))
    acme = make.company()
    pending.process(build.assigned(acme, make.address(acme), at=build.zero + HOUR))
    pending.process(build.did_changed(GLOBEX, build.zero + 2 * HOUR))
    event = pending.axis_events[-1]
    assert (event.registration, event.identity_id, event.attempt) == ("approved", above.identity_id, 2)
    assert pending.statuses() == ["superseded", "approved", "withdrawn"]


@pytest.mark.parametrize("outcome", ["pending", "rejected"])
def test_an_open_verification_continues_when_only_the_approved_identity_leaves(
    pending: Any, build: Any, make: Any, outcome: str
) -> None:
    """The axis goes through awaiting to the state of that verification."""
    pending.process(build.approve())
    above = make.company("above", account="master")
    its_address = make.address(above)
    pending.store(above, its_address)
    pending.process(build.assigned(above, its_address, at=build.zero + HOUR))
    if outcome == "rejected":
        pending.process(build.reject(2))
    pending.process(build.did_changed(GLOBEX, build.zero + 2 * HOUR))
    assert pending.axis_topics()[-2:] == ["required", outcome]
    assert [event.registration for event in pending.axis_events[-2:]] == ["awaiting", outcome]
    assert (pending.axis_events[-1].identity_id, pending.axis_events[-1].attempt) == (above.identity_id, 2)


def test_an_older_holding_is_ignored(pending: Any, build: Any) -> None:
    """Only a higher sequence counts. A holding with the same holder changes only the sequence."""
    assert isinstance(pending.process(build.did_changed(sequence=7)), Decided)
    assert pending.process(build.did_changed(GLOBEX, sequence=6)) == Unchanged()
    assert (pending.registration.account, pending.registration.state) == ("master/acme", "pending")


def test_details_assigned_before_and_received_after_the_handover_are_removed_too(
    ready: Any, build: Any, acme: Any, quay: Any
) -> None:
    """They belonged to the former holder. They are judged for it, and withdrawn with it."""
    ready.process(build.did_changed(GLOBEX, build.zero + HOUR))
    ready.process(build.assigned(acme, quay, at=build.zero))
    assert (ready.registration.state, ready.statuses()) == ("awaiting", ["withdrawn"])
    assert (ready.axis_events[-1].registration, ready.in_force) == ("awaiting", None)


def test_details_of_the_new_holder_are_judged_for_it(ready: Any, build: Any, make: Any) -> None:
    """The identity must serve the holder at the time of the assignment."""
    globex = make.company("globex", account=GLOBEX)
    its_address = make.address(globex)
    ready.store(globex, its_address)
    ready.process(build.did_changed(GLOBEX, build.zero + HOUR))
    ready.process(
        build.assigned(
            globex, its_address, at=build.zero + 2 * HOUR, source="/portals/globex", account=GLOBEX
        )
    )
    assert ready.statuses() == ["pending"]


def test_inventory_knows_the_holder_before_the_handover_is_received(
    ready: Any, build: Any, make: Any
) -> None:
    """Its assignment has the account that held the DID. The late handover does not remove the details."""
    globex = make.company("globex", account=GLOBEX)
    its_address = make.address(globex)
    ready.store(globex, its_address)
    ready.process(build.assigned(globex, its_address, at=build.zero + 2 * HOUR, account=GLOBEX))
    ready.process(build.did_changed(GLOBEX, build.zero + HOUR))
    assert (ready.statuses(), ready.verification().account) == (["pending"], GLOBEX)


def test_details_assigned_again_count_from_their_later_date(
    pending: Any, build: Any, acme: Any, quay: Any
) -> None:
    """A DID that left and came back keeps details that were assigned again after it came back."""
    pending.process(build.assigned(acme, quay, at=build.zero + 3 * HOUR), now=build.zero + 4 * HOUR)
    pending.process(build.did_changed(GLOBEX, build.zero + HOUR, sequence=1))
    pending.process(build.did_changed("master/acme", build.zero + 2 * HOUR, sequence=2))
    assert (pending.registration.state, pending.statuses()) == ("pending", ["pending"])


def test_only_the_details_assigned_again_get_the_later_date(pending: Any, build: Any, make: Any) -> None:
    """The approved details of another end user keep their date, and are removed with the holder of that time."""
    pending.process(build.approve())
    above = make.company("above", account="master")
    its_address = make.address(above)
    pending.store(above, its_address)
    pending.process(build.assigned(above, its_address, at=build.zero + HOUR))
    pending.process(
        build.assigned(above, its_address, at=build.zero + 3 * HOUR, account=GLOBEX),
        now=build.zero + 4 * HOUR,
    )
    pending.process(build.did_changed(GLOBEX, build.zero + 2 * HOUR))
    assert (pending.registration.state, pending.registration.approved) == ("pending", None)
