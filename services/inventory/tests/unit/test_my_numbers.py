"""A DID in an answer: days left, icons, colors and the next step."""

from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_contracts.vocabulary import Registration, ServiceState
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.my_numbers.answer import COLORS, ICONS, days_left, did_answer
from didflow_inventory.domain.views import TermView


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=3), 3),
        (timedelta(days=2, seconds=1), 3),
        (timedelta(microseconds=1), 1),
        (timedelta(), 0),
        (timedelta(days=-5), 0),
    ],
)
def test_days_left_are_rounded_up(make: Any, left: Any, days: Any) -> None:
    """A day that has begun counts; after the expiry it is 0."""
    assert days_left(TermView(state="active", expires_at=make.zero + left), make.zero) == days


@pytest.mark.parametrize(
    ("state", "aging_days", "days"), [("canceled", None, 3), ("canceled", 30, 0), ("aging", 30, 0)]
)
def test_days_left_are_those_of_paid_time_also_of_an_ended_term(
    make: Any, state: Any, aging_days: Any, days: Any
) -> None:
    """A canceled term can be restored free of charge while days are left. `by` says when an aging DID is removed."""
    removal = None if aging_days is None else make.zero + timedelta(days=aging_days)
    expiry = make.zero + timedelta(days=3 if aging_days is None else -4)
    assert days_left(TermView(state=state, expires_at=expiry, aging_until=removal), make.zero) == days


@pytest.mark.parametrize("state", ["none", "closed"])
def test_without_a_term_there_are_no_days_left(make: Any, state: Any) -> None:
    """The value is null, not 0."""
    assert days_left(TermView(state=state, expires_at=make.zero), make.zero) is None


def test_every_registration_has_an_icon_and_every_service_state_a_color() -> None:
    """The tables have one line for each state."""
    assert set(ICONS) == set(get_args(Registration))
    assert set(COLORS) == set(get_args(ServiceState))


def test_only_the_services_that_the_number_supports_are_shown(stage: Any, make: Any) -> None:
    """A supported service that nobody has requested is gray."""
    stage.decide(make.purchased(features=["voice_in", "emergency", "cnam"]))
    stage.decide(make.service("active", service="cnam"))
    services = did_answer(stage.did, make.zero, make.caller()).services
    assert [(s.service, s.state, s.color) for s in services] == [
        ("emergency", "not_configured", "gray"),
        ("cnam", "active", "green"),
    ]


def test_a_new_did_is_shown_with_its_label_and_its_next_step(purchased: Any, make: Any) -> None:
    """It awaits registration, its circle is yellow, and the account must act before the first period ends."""
    purchased.decide(make.registration("awaiting", reference="V-1"))
    purchased.decide(make.term("active"))
    purchased.decide(make.service("new"))
    answer = did_answer(purchased.did, make.zero, make.caller())

    assert (answer.status_label, answer.circle, answer.time_left_days) == (
        "Awaiting Registration",
        "yellow",
        31,
    )
    step = answer.next_step
    assert (step.action, step.who, step.by, step.also) == (
        "assign_end_user_details",
        "account",
        make.zero + timedelta(days=31),
        ("emergency",),
    )
    assert (answer.registration.icon, answer.registration.reference) == ("not_assigned", "V-1")


def test_a_purchase_does_not_ask_for_details_before_verification_has_answered(
    purchased: Any, make: Any
) -> None:
    """The next step is `await_requirement` by nobody, without an icon; status and filters are those of awaiting."""
    answer = did_answer(purchased.did, make.zero, make.caller())

    assert (answer.next_step.action, answer.next_step.who) == ("await_requirement", "nobody")
    assert (answer.registration.state, answer.registration.icon) == ("awaiting", "none")
    assert (answer.status, purchased.did.listing.in_awaiting_registration) == ("awaiting_registration", True)

    purchased.decide(make.registration("awaiting"))
    answer = did_answer(purchased.did, make.zero, make.caller())
    assert (answer.next_step.action, answer.registration.icon) == ("assign_end_user_details", "not_assigned")


def test_a_removed_did_is_shown_without_a_status(purchased: Any, make: Any) -> None:
    """Its former holder can still see it; nothing is left to do."""
    purchased.decide(make.removed())
    answer = did_answer(purchased.did, make.zero, make.caller())
    assert (answer.stock, answer.status, answer.status_label, answer.circle) == ("removed", None, None, None)
    assert (answer.next_step.action, answer.next_step.who) == ("none", "nobody")


def test_a_service_is_shown_with_its_request_and_its_reasons(stage: Any, make: Any) -> None:
    """So the holder can correct or cancel the request."""
    stage.decide(make.purchased(features=["voice_in", "emergency"]))
    reason = {"code": "address_unknown", "field": "street", "message": "The address is not known."}
    request = UUID(int=5)
    stage.decide(make.service("changes_required", request_id=request, reasons=[reason]))

    (service,) = did_answer(stage.did, make.zero, make.caller()).services
    assert (service.request_id, [r.code for r in service.reasons]) == (request, ["address_unknown"])


def test_the_area_is_that_of_the_seller_or_the_one_that_verification_knows(stage: Any, make: Any) -> None:
    """The seller's word comes first."""
    stage.decide(make.purchased())
    stage.decide(make.registration("awaiting", area="Dublin"))
    assert did_answer(stage.did, make.zero, make.caller()).area == "Dublin"
    holding = replace(stage.did.holding, area="South Dublin")
    assert (
        did_answer(Did(holding=holding, views=stage.did.views), make.zero, make.caller()).area
        == "South Dublin"
    )
