"""The wanted carrier state, and the actions that lead to it."""

from itertools import product
from typing import Any, get_args

import pytest

from didflow_contracts.vocabulary import CarrierState, DidStock, Registration, TermState
from didflow_provisioning.domain.routing import Failure, Routing
from didflow_provisioning.domain.wanted_actions import (
    actions_to_send,
    carrier_of,
    wanted_actions,
    wanted_state,
)


@pytest.fixture
def routing(messages: Any) -> Routing:
    """A DID that was assigned its number. No command was sent yet."""
    return Routing(
        did_id=messages.did_id,
        number=messages.number,
        account=messages.account,
        carrier="simulator",
        served_by="simulator",
        confirmed=True,
        stock="assigned",
        registration="approved",
        term="active",
    )


@pytest.mark.parametrize(
    ("stock", "registration", "term"),
    list(product(get_args(DidStock), get_args(Registration), get_args(TermState))),
)
def test_the_wanted_state_follows_from_stock_registration_and_term(
    routing: Routing, changed: Any, stock: str, registration: str, term: str
) -> None:
    """A stopped stock or term suspends, else the registration decides. Before the removal nothing is wanted."""
    state = wanted_state(changed(routing, stock=stock, registration=registration, term=term))
    if stock == "removed" or term == "closed":
        assert state is None
    elif term in ("canceled", "aging") or stock in ("blocked", "on_hold"):
        assert state == "suspended"
    else:
        assert state == ("active" if registration in ("approved", "not_required") else "suspended")


def test_a_removed_did_is_wanted_released(routing: Routing, changed: Any) -> None:
    """The removal comes before every other condition."""
    removed = changed(routing, end_reason="aged_out", stock="blocked", term="aging")
    assert wanted_state(removed) == "released"


def test_an_expired_registration_counts_during_its_grace_period(
    messages: Any, routing: Routing, changed: Any
) -> None:
    """The number stays active until the grace period ends."""
    expired = changed(routing, registration="expired")
    assert wanted_state(changed(expired, due_at=messages.start)) == "active"
    assert wanted_state(expired) == "suspended"


ACTIONS: dict[tuple[CarrierState, str], str] = {
    ("inactive", "active"): "activate",
    ("failed", "active"): "activate",
    ("suspended", "active"): "resume",
    ("active", "suspended"): "suspend",
    ("activating", "released"): "release",
    ("failed", "released"): "release",
    ("active", "released"): "release",
    ("suspended", "released"): "release",
}
CHANGES: dict[str, dict[str, str]] = {
    "active": {},
    "suspended": {"stock": "blocked"},
    "released": {"end_reason": "aged_out"},
}
"""Wanted state -> changes of the routing that lead to it."""


@pytest.mark.parametrize(("state", "wanted"), list(product(get_args(CarrierState), CHANGES)))
def test_at_most_one_action_leads_from_a_state_to_the_wanted_state(
    routing: Routing, changed: Any, state: CarrierState, wanted: str
) -> None:
    """A number that was never active is not suspended."""
    action = ACTIONS.get((state, wanted))
    expected = (action,) if action else ()
    assert wanted_actions(changed(routing, carrier_state=state, **CHANGES[wanted])) == expected


def test_nothing_is_wanted_before_inventory_assigns_the_number(routing: Routing, changed: Any) -> None:
    """Without `assigned` there is no action, even if all other conditions are met."""
    assert wanted_actions(changed(routing, confirmed=False)) == ()


def test_nothing_is_wanted_of_a_number_without_a_carrier(routing: Routing, changed: Any) -> None:
    """There is nobody to send a command to."""
    assert wanted_actions(changed(routing, carrier=None, served_by=None)) == ()


def test_set_sms_goes_to_the_sms_carrier(routing: Routing, changed: Any) -> None:
    """Other actions go to the carrier, or to the SMS carrier if there is no other."""
    both = changed(routing, sms_carrier="texts")
    assert carrier_of(both, "set_sms") == "texts"
    assert carrier_of(both, "activate") == "simulator"
    assert carrier_of(changed(both, carrier=None), "activate") == "texts"
    assert carrier_of(routing, "set_sms") == "simulator"


def test_a_number_stays_with_the_carrier_that_activated_it(routing: Routing, changed: Any) -> None:
    """Commands go to that carrier even if the holding names another one since then."""
    active = changed(routing, carrier="another", carrier_state="active")
    carriers = {carrier_of(active, action) for action in ("suspend", "resume", "release", "set_voice")}
    assert carriers == {"simulator"}


def test_an_action_that_failed_for_good_is_not_sent_again(
    messages: Any, routing: Routing, changed: Any
) -> None:
    """It waits for a retry by hand. Other actions are sent."""
    failure = Failure(command_id=messages.did_id, action="suspend", code="rejected")
    blocked = changed(routing, carrier_state="active", stock="blocked", capacity=2, failures=(failure,))
    assert wanted_actions(blocked) == ("suspend", "set_capacity")
    assert actions_to_send(blocked) == ("set_capacity",)
