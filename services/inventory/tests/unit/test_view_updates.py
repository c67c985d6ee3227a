"""The views: an event of another service replaces the whole view, and the status follows from it."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_inventory.domain.my_numbers.answer import did_answer
from didflow_inventory.domain.stock.number import Number


def test_the_main_job_ends_active(purchased: Any, make: Any) -> None:
    """Details are required, reviewed and approved, the carrier is active, trunk and capacity are set."""
    for event in (
        make.registration("awaiting"),
        make.term("active"),
        make.registration("pending", 2, identity_id=make.identity_id),
        make.registration("approved", 3, identity_id=make.identity_id),
        make.routing("activating", voice=None, capacity=None),
        make.activated(2, voice=None, capacity=None),
        make.routing("active", 3, capacity=None),
        make.routing("active", 4),
    ):
        purchased.decide(event)

    assert purchased.statuses() == ["awaiting_registration", "not_configured", "active"]
    last = purchased.published()[-1].data
    assert (last.previous, last.circle, last.next_step.action) == ("not_configured", "green", "none")
    assert purchased.did.listing.identity_id == make.identity_id
    assert (purchased.did.listing.in_active, purchased.did.listing.in_not_configured) == (True, False)


def test_a_status_is_published_once_while_it_stays_the_same(purchased: Any, make: Any) -> None:
    """Awaiting, pending and rejected have one status, which is published for the first of them only."""
    for sequence, state in enumerate(("awaiting", "pending", "rejected"), 1):
        purchased.decide(make.registration(state, sequence))
    assert purchased.statuses() == ["awaiting_registration"]


def test_the_registration_comes_from_the_field_and_not_from_the_topic(purchased: Any, make: Any) -> None:
    """New details of an approved DID are pending while the DID stays approved."""
    purchased.decide(make.registration("approved", 1))
    purchased.decide(make.registration("pending", 2, registration="approved", attempt=2))
    registration = purchased.did.views.registration
    assert (registration.state, registration.attempt) == ("approved", 2)


@pytest.mark.parametrize(
    "pair",
    [
        lambda make: (make.registration("approved", 5), make.registration("awaiting", 4)),
        lambda make: (make.term("canceled", 5), make.cycle_expired("active", 4)),
        lambda make: (make.cycle_expired("aging", 5), make.term("active", 4)),
        lambda make: (make.activated(5), make.routing("activating", 4)),
        lambda make: (make.service("active", 5), make.service("new", 4)),
    ],
)
def test_an_outdated_event_is_refused_and_changes_nothing(purchased: Any, make: Any, pair: Any) -> None:
    """The newest event of an axis counts, on whichever topic it came."""
    newer, older = pair(make)
    purchased.decide(newer)
    before = purchased.did

    assert purchased.code(older) == "outdated"
    assert purchased.did == before


def test_each_service_and_each_axis_has_its_own_sequence(purchased: Any, make: Any) -> None:
    """A later event of another service or axis does not make an event outdated."""
    purchased.decide(make.service("active", 7, service="cnam"))
    purchased.decide(make.service("new", 3, service="emergency"))
    purchased.decide(make.registration("approved", 2))

    assert purchased.refusals() == []
    assert {name: view.state for name, view in purchased.did.views.services.items()} == {
        "cnam": "active",
        "emergency": "new",
    }


@pytest.mark.parametrize("name", ["ledger_posted", "message_refused", "result", "term_expiring"])
def test_an_event_that_belongs_to_no_axis_changes_no_axis(purchased: Any, make: Any, name: Any) -> None:
    """Charges, refusals, reminders and results of carriers are recorded in the history only."""
    before = purchased.did
    assert isinstance(purchased.decide(getattr(make, name)()), Decided)
    assert purchased.did == before


def test_a_result_about_an_unknown_did_is_refused_and_not_parked(stage: Any, make: Any) -> None:
    """An outside source cannot fill the parked messages."""
    assert stage.code(make.result()) == "did_unknown"
    assert stage.parked() == []


def test_a_result_for_another_account_is_refused(purchased: Any, make: Any) -> None:
    """A carrier must name the holder or an account above the holder."""
    assert purchased.code(make.result(account="other")) == "not_yours"
    assert purchased.code(make.result(account="master/acme/shop")) == "not_yours"
    assert purchased.code(make.result(account="master")) is None


def test_an_event_with_the_did_id_of_another_number_is_refused(purchased: Any, make: Any) -> None:
    """A did_id belongs to one number."""
    assert purchased.code(make.term("active", number="+35319609037")) == "did_id_taken"


def test_events_about_a_refused_did_change_nothing(stage: Any, make: Any) -> None:
    """The other services undo their part; the refused DID stays as it is."""
    stage.store(Number(number=make.number, releasing=True))
    stage.decide(make.purchased())
    refused = stage.did
    for event in (
        make.registration("awaiting"),
        make.term("closed"),
        make.routing("released"),
        make.removed(),
    ):
        assert isinstance(stage.decide(event), Unchanged)
    assert stage.code(make.enduser_assigned()) == "did_ended"
    assert stage.did == refused


def test_a_did_in_its_last_period_matches_expiring_soon(purchased: Any, make: Any) -> None:
    """Its status is Delayed Service Removal, and it also matches the filter `active`."""
    purchased.decide(make.routing("active"))
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.term("delayed_removal", 1, cycles_left=0))

    assert purchased.statuses() == ["active", "delayed_service_removal"]
    assert (purchased.did.listing.in_expiring_soon, purchased.did.listing.in_active) == (True, True)
    assert purchased.published()[-1].data.next_step.action == "set_billing_cycles"


@pytest.mark.parametrize(
    ("given", "areas", "shown"),
    [
        (None, (None,), None),
        (None, ("Dublin",), "Dublin"),
        ("Leinster", ("Dublin",), "Leinster"),
        (None, ("Dublin", "Dublin City"), "Dublin City"),
        (None, ("Dublin", None), None),
    ],
)
def test_the_area_is_shown_as_region_if_the_seller_gave_none(
    stage: Any, make: Any, given: str | None, areas: tuple[str | None, ...], shown: str | None
) -> None:
    """Verification publishes the area. The latest one counts, in whatever order the events arrive."""
    stage.decide(make.purchased(region=given))
    events = [make.registration("awaiting", n, area=area) for n, area in enumerate(areas, 1)]
    for event in (*reversed(events), *events):
        stage.decide(event)
    assert (stage.did.listing.shown_region, stage.did.holding.region) == (shown, given)
    assert did_answer(stage.did, make.zero, make.caller()).region == shown


@pytest.mark.parametrize("state", ["approved", "not_required"])
def test_a_registration_that_was_complete_once_stays_complete(purchased: Any, make: Any, state: Any) -> None:
    """Billing refunds only a registration that was never complete, so My Numbers must know it too."""
    purchased.decide(make.registration("awaiting"))
    assert not purchased.did.views.registration.completed
    purchased.decide(make.registration(state, 2))
    purchased.decide(make.registration("expired", 3))
    assert purchased.did.views.registration.completed


def test_an_approval_that_comes_too_late_still_completes_the_registration(purchased: Any, make: Any) -> None:
    """The later expiry was applied first. The approval is refused as outdated, but it happened."""
    purchased.decide(make.registration("expired", 3))
    late = purchased.decide(make.registration("approved", 2))
    registration = purchased.did.views.registration
    assert (late.refused.code, registration.state, registration.completed) == ("outdated", "expired", True)
