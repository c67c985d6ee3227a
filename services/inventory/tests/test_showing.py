"""A DID in an answer: days left, icons and colors."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from didflow_contracts.vocabulary import Registration, ServiceState
from didflow_inventory.domain.axes import TermView
from didflow_inventory.domain.showing import COLORS, ICONS, days_left, shown


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
def test_days_left_are_whole_days_rounded_up(say: Any, left: Any, days: Any) -> None:
    """A begun day counts; passed is 0."""
    assert days_left(TermView(state="active", expires_at=say.zero + left), say.zero) == days


@pytest.mark.parametrize("state", ["none", "closed"])
def test_without_a_term_no_days_are_left_to_count(say: Any, state: Any) -> None:
    """No term, no number of days: not even 0."""
    assert days_left(TermView(state=state, expires_at=say.zero), say.zero) is None


def test_every_registration_has_an_icon_and_every_service_state_a_color() -> None:
    """No state is shown without its sign."""
    assert set(ICONS) == set(get_args(Registration))
    assert set(COLORS) == set(get_args(ServiceState))


def test_only_services_that_the_number_supports_are_shown(inventory: Any, say: Any) -> None:
    """An unsupported service has no icon; a supported one that nobody asked for is gray."""
    inventory.process(say.purchased(features=["voice_in", "emergency", "cnam"]))
    inventory.process(say.service("active", service="cnam"))
    services = shown(inventory.did, say.zero).services
    assert [(s.service, s.state, s.color) for s in services] == [
        ("emergency", "not_configured", "gray"),
        ("cnam", "active", "green"),
    ]


def test_a_did_is_shown_with_its_label_and_next_step(bought: Any, say: Any) -> None:
    """What people see of a new number: awaiting, yellow, and that the account has to act."""
    bought.process(say.registration("awaiting", reference="V-1"))
    bought.process(say.term("active"))
    bought.process(say.service("new"))
    answer = shown(bought.did, say.zero)

    assert (answer.status_label, answer.circle, answer.time_left_days) == (
        "Awaiting Registration",
        "yellow",
        31,
    )
    assert (answer.next_step.action, answer.next_step.who, answer.next_step.also) == (
        "assign_end_user_details",
        "account",
        ("emergency",),
    )
    assert (answer.registration.icon, answer.registration.reference) == ("not_assigned", "V-1")


def test_a_removed_did_is_shown_without_a_status(bought: Any, say: Any) -> None:
    """Who held it may still look at it: it is gone, and nobody has to do anything."""
    bought.process(say.removed())
    answer = shown(bought.did, say.zero)
    assert (answer.stock, answer.status, answer.status_label, answer.circle) == ("removed", None, None, None)
    assert (answer.next_step.action, answer.next_step.who) == ("none", "nobody")
