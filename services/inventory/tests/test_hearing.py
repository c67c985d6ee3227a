"""The view: what the other services say is taken over whole, and the status follows from it."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_inventory.domain.stock import Number


def test_the_main_job_ends_active(bought: Any, say: Any) -> None:
    """Registration asked for, reviewed and approved, carrier active, trunk and capacity set: Active."""
    for event in (
        say.registration("awaiting"),
        say.term("active"),
        say.registration("pending", 2, identity_id=say.identity),
        say.registration("approved", 3, identity_id=say.identity),
        say.routing("activating", voice=None, capacity=None),
        say.activated(2, voice=None, capacity=None),
        say.routing("active", 3, capacity=None),
        say.routing("active", 4),
    ):
        bought.process(event)

    assert bought.statuses() == ["awaiting_registration", "not_configured", "active"]
    last = bought.published_data()[-1]
    assert (last.previous, last.circle, last.next_step.action) == ("not_configured", "green", "none")
    assert bought.did.identity_id == say.identity
    assert (bought.did.in_active, bought.did.in_not_configured) == (True, False)


def test_a_status_is_said_once_while_it_stays(bought: Any, say: Any) -> None:
    """Awaiting, pending and rejected are one status: it is said for the first only."""
    for number, state in enumerate(("awaiting", "pending", "rejected"), 1):
        bought.process(say.registration(state, number))
    assert bought.statuses() == ["awaiting_registration"]


def test_the_registration_is_what_the_event_says_and_not_its_topic(bought: Any, say: Any) -> None:
    """New details of an approved number are pending while it stays approved."""
    bought.process(say.registration("approved", 1))
    event = say.registration("pending", 2, registration="approved", attempt=2)
    bought.process(event)
    assert (bought.did.registration.state, bought.did.registration.attempt) == ("approved", 2)


@pytest.mark.parametrize(
    "events",
    [
        lambda say: (say.registration("approved", 5), say.registration("awaiting", 4)),
        lambda say: (say.term("canceled", 5), say.cycle_expired("active", 4)),
        lambda say: (say.cycle_expired("aging", 5), say.term("active", 4)),
        lambda say: (say.activated(5), say.routing("activating", 4)),
        lambda say: (say.service("active", 5), say.service("new", 4)),
    ],
)
def test_an_outdated_event_is_refused_and_changes_nothing(bought: Any, say: Any, events: Any) -> None:
    """Of one axis only the newest counts, on whichever topic it came."""
    newer, older = events(say)
    bought.process(newer)
    before = bought.did
    outcome = bought.process(older)

    assert isinstance(outcome, Refused)
    assert outcome.code == "outdated"
    assert bought.did == before


def test_each_service_and_each_axis_counts_for_itself(bought: Any, say: Any) -> None:
    """A late service event is not outdated by another service's later one."""
    bought.process(say.service("active", 7, service="cnam"))
    bought.process(say.service("new", 3, service="emergency"))
    bought.process(say.registration("approved", 2))

    assert bought.refusals() == []
    assert {name: s.state for name, s in bought.did.services.items()} == {
        "cnam": "active",
        "emergency": "new",
    }


def test_an_event_without_a_sequence_counts_only_while_nothing_else_does(bought: Any, say: Any) -> None:
    """It can be the first; it never undoes what has one."""
    bought.process(say.term("active", None))
    bought.process(say.term("delayed_removal", 1))
    assert bought.process(say.term("canceled", None)).code == "outdated"
    assert bought.did.term.state == "delayed_removal"


@pytest.mark.parametrize("make", ["posted", "result"])
def test_what_belongs_to_no_axis_changes_no_axis(bought: Any, say: Any, make: Any) -> None:
    """Charges and carriers' answers are told in the history only."""
    before = bought.did
    assert isinstance(bought.process(getattr(say, make)()), Decided)
    assert bought.did == before


def test_a_carriers_answer_about_nobody_is_refused_and_never_waits(inventory: Any, say: Any) -> None:
    """An outsider cannot make inventory keep what it says for ever."""
    assert inventory.process(say.result()).code == "did_unknown"
    assert inventory.parked() == []


def test_a_carrier_that_names_another_account_is_not_believed(bought: Any, say: Any) -> None:
    """An outside source must know whose number it speaks of."""
    assert bought.process(say.result(account="other")).code == "not_yours"


def test_an_event_about_the_did_of_another_number_is_refused(bought: Any, say: Any) -> None:
    """A did_id and a number belong together."""
    assert bought.process(say.term("active", number="+35319609037")).code == "number_mismatch"


def test_what_comes_for_a_refused_did_changes_nothing(inventory: Any, say: Any) -> None:
    """The other services tidy up; the refused DID stays what it is."""
    inventory.store(Number(number=say.number, releasing=True))
    inventory.process(say.purchased())
    refused = inventory.did
    for event in (
        say.registration("awaiting"),
        say.term("closed"),
        say.routing("released"),
        say.removed(),
        say.assigned(),
    ):
        assert isinstance(inventory.process(event), Unchanged)
    assert inventory.did == refused


def test_delayed_removal_is_shown_and_expires_soon(bought: Any, say: Any) -> None:
    """The last paid period: yellow, and among those that expire soon."""
    bought.process(say.routing("active"))
    bought.process(say.registration("not_required"))
    bought.process(say.term("delayed_removal", 1, cycles_left=0))

    assert bought.statuses() == ["active", "delayed_service_removal"]
    assert (bought.did.in_expiring_soon, bought.did.in_active) == (True, True)
    assert bought.published_data()[-1].next_step.action == "set_billing_cycles"
