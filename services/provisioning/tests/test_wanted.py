"""What is wanted of the carrier, and the orders that lead there."""

from itertools import product
from typing import Any, get_args

import pytest

from didflow_contracts.vocabulary import CarrierState, DidStock, Registration, TermState
from didflow_provisioning.domain.routing import Failure, Routing
from didflow_provisioning.domain.wanted import called_for, carrier_of, wanted, wishes


@pytest.fixture
def routing(say: Any) -> Routing:
    """A DID that inventory has given its number, with nothing ordered yet."""
    return Routing(
        did_id=say.did,
        number=say.number,
        account=say.account,
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
def test_it_is_wanted_as_the_three_axes_say(
    routing: Routing, later: Any, stock: str, registration: str, term: str
) -> None:
    """Ended terms and stopped stock suspend; else registration decides; an end to come leaves all as it is."""
    asked = wanted(later(routing, stock=stock, registration=registration, term=term))
    if stock == "removed" or term == "closed":
        assert asked is None
    elif term in ("canceled", "aging") or stock in ("blocked", "on_hold"):
        assert asked == "suspended"
    else:
        assert asked == ("active" if registration in ("approved", "not_required") else "suspended")


def test_a_removed_did_is_wanted_released_whatever_else_is_so(routing: Routing, later: Any) -> None:
    """The end of a DID comes before every other wish."""
    assert wanted(later(routing, ended="aged_out", stock="blocked", term="aging")) == "released"


def test_a_lapsed_registration_counts_while_its_grace_runs(say: Any, routing: Routing, later: Any) -> None:
    """An expired registration with its grace still to come keeps the number active."""
    lapsed = later(routing, registration="expired")
    assert wanted(later(lapsed, due_at=say.zero)) == "active"
    assert wanted(lapsed) == "suspended"


ORDERS: dict[tuple[CarrierState, str], str] = {
    ("inactive", "active"): "activate",
    ("failed", "active"): "activate",
    ("suspended", "active"): "resume",
    ("active", "suspended"): "suspend",
    ("activating", "released"): "release",
    ("failed", "released"): "release",
    ("active", "released"): "release",
    ("suspended", "released"): "release",
}


@pytest.mark.parametrize(
    ("state", "want"), list(product(get_args(CarrierState), ("active", "suspended", "released")))
)
def test_one_order_leads_from_each_state_to_what_is_wanted(
    routing: Routing, later: Any, state: CarrierState, want: str
) -> None:
    """Each state and wish has its one order or none; suspended is not ordered of what never was active."""
    changes = {"active": {}, "suspended": {"stock": "blocked"}, "released": {"ended": "aged_out"}}[want]
    expected = ORDERS.get((state, want))
    assert called_for(later(routing, carrier_state=state, **changes)) == ((expected,) if expected else ())


def test_nothing_is_ordered_before_inventory_has_given_the_number(routing: Routing, later: Any) -> None:
    """Everything else may be ready: without `assigned` there is no order."""
    assert called_for(later(routing, confirmed=False)) == ()


def test_nothing_is_ordered_where_there_is_no_carrier(routing: Routing, later: Any) -> None:
    """A number without any carrier has nobody to order from."""
    assert called_for(later(routing, carrier=None, served_by=None)) == ()


def test_messages_go_to_their_own_carrier_and_the_rest_to_the_carrier_of_the_number(
    routing: Routing, later: Any
) -> None:
    """set_sms goes to the SMS carrier; activation to the carrier, or the SMS carrier where there is none."""
    both = later(routing, sms_carrier="texts")
    assert carrier_of(both, "set_sms") == "texts"
    assert carrier_of(both, "activate") == "simulator"
    assert carrier_of(later(both, carrier=None), "activate") == "texts"
    assert carrier_of(routing, "set_sms") == "simulator"


def test_a_number_stays_with_the_carrier_that_it_was_ordered_from(routing: Routing, later: Any) -> None:
    """Suspending and releasing go to where the number was activated, whatever the holding says since."""
    moved = later(routing, carrier="another", carrier_state="active")
    assert {carrier_of(moved, action) for action in ("suspend", "resume", "release", "set_voice")} == {
        "simulator"
    }


def test_what_failed_for_good_is_called_for_but_not_sent_again(
    say: Any, routing: Routing, later: Any
) -> None:
    """A failed order waits for a retry by hand, and stands in nobody else's way."""
    failure = Failure(command_id=say.did, action="suspend", code="rejected")
    halted = later(routing, carrier_state="active", stock="blocked", capacity=2, failures=(failure,))
    assert called_for(halted) == ("suspend", "set_capacity")
    assert wishes(halted) == ("set_capacity",)
