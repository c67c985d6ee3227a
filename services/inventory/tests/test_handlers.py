"""Every handler: delivered twice under two ids it does its work once; too early it waits and is not lost."""

from collections.abc import Callable
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.topics import INVENTORY, topics_read_by
from didflow_inventory.handlers import commands, events
from didflow_inventory.settings import InventorySettings

EVENTS = events(InventorySettings.placeholder())
COMMANDS = commands(InventorySettings.placeholder())

LATER = frozenset(("did.porting_started", "did.porting_ended"))
"""Topics that inventory will hear once it knows portings."""


def expiring(say: Any) -> Any:
    """A warning that an approval will end."""
    model = EVENT_TYPES["didflow.verification.expiring.v1"]
    whose = {"did_id": say.did, "number": say.number, "account": say.account}
    data = whose | {"registration": "approved", "expires_at": say.zero, "reason": "proof_ended"}
    return say.event(model.model_validate(data), "/didflow/verification", 1)


HEARD: dict[str, Callable[[Any], Any]] = {
    "did.purchased": lambda say: say.purchased(),
    "enduser.assigned": lambda say: say.assigned(),
    "verification.required": lambda say: say.registration("awaiting"),
    "verification.not_required": lambda say: say.registration("not_required"),
    "verification.pending": lambda say: say.registration("pending"),
    "verification.approved": lambda say: say.registration("approved"),
    "verification.rejected": lambda say: say.registration("rejected"),
    "verification.expiring": expiring,
    "verification.expired": lambda say: say.registration("expired"),
    "service.changed": lambda say: say.service("new"),
    "routing.changed": lambda say: say.routing("active"),
    "did.activated": lambda say: say.activated(),
    "provisioning.results": lambda say: say.result(),
    "term.changed": lambda say: say.term("active"),
    "cycle.expired": lambda say: say.cycle_expired("active"),
    "ledger.posted": lambda say: say.posted(),
    "message.refused": lambda say: say.message_refused(),
    "did.removed": lambda say: say.removed(),
}
ASKED: dict[str, Callable[[Any], Any]] = {
    "Purchase": lambda say: say.purchase(),
    "AssignEndUser": lambda say: say.assign(),
    "CreateAccount": lambda say: say.account_at("master/acme/new"),
}


def test_inventory_hears_exactly_the_topics_that_are_meant_for_it() -> None:
    """What the contracts say inventory reads is what it decides on, but for portings."""
    meant = {topic.name for topic in topics_read_by(INVENTORY)}
    assert {model.topic for model in EVENTS} == set(HEARD) == meant - LATER


def test_every_wish_has_its_case_here() -> None:
    """A new command comes with its delivered-twice case."""
    assert {command.__name__ for command in COMMANDS} == set(ASKED)


@pytest.mark.parametrize("topic", HEARD)
def test_an_event_delivered_twice_does_its_work_once(bought: Any, say: Any, topic: Any) -> None:
    """The same words under a second event id change nothing and say nothing."""
    bought.take(HEARD[topic](say))
    states, said = dict(bought.states), list(bought.said)
    outcome = bought.take(HEARD[topic](say))

    assert bought.states == states
    assert bought.said == said
    assert not isinstance(outcome, TooEarly)
    if topic not in {"provisioning.results", "ledger.posted", "message.refused"}:
        assert isinstance(outcome, Unchanged | Refused)


@pytest.mark.parametrize("topic", [t for t in HEARD if t not in {"did.purchased", "provisioning.results"}])
def test_an_event_before_its_purchase_waits_for_it(new_world: Any, say: Any, topic: Any) -> None:
    """What came too early ends as if it had come in order."""
    early, late = (new_world.with_accounts("master", say.account) for _ in range(2))
    event, purchase = HEARD[topic](say), say.purchased()

    assert isinstance(early.take(event), TooEarly)
    early.take(purchase)
    late.take(purchase)
    late.take(event)

    assert (early.states, early.said, early.parked) == (late.states, late.said, [])


@pytest.mark.parametrize("name", ASKED)
def test_a_wish_repeated_does_its_work_once(bought: Any, say: Any, name: Any) -> None:
    """Asked again in other words or without a key: unchanged."""
    bought.take(ASKED[name](say))
    states, said = dict(bought.states), list(bought.said)

    assert isinstance(bought.take(ASKED[name](say)), Unchanged)
    assert (bought.states, bought.said) == (states, said)


def test_a_wish_about_an_unknown_did_is_refused_and_does_not_wait(world: Any, say: Any) -> None:
    """Nobody waits behind an HTTP call."""
    assert world.take(say.assign()).code == "not_found"


def test_a_wish_for_an_account_before_the_one_above_is_refused(world: Any, say: Any) -> None:
    """Too early for HTTP is an answer, too."""
    assert world.take(say.account_at("master/acme/a/b")).code == "parent_unknown"


def test_a_purchase_over_http_is_taken_as_the_event_that_it_says(world: Any, say: Any) -> None:
    """The did.purchased that inventory says itself would find its DID there."""
    assert isinstance(world.take(say.purchase()), Decided)
    copy = say.event(world.said[0], "/didflow/inventory", 1)
    assert isinstance(world.take(copy), Unchanged)
