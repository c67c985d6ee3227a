"""Every handler: delivered twice under two ids it does its work once; too early it waits and is not lost."""

from collections.abc import Callable
from typing import Any

import pytest

from didflow_chassis.decision import Decided, TooEarly, Unchanged
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
    """The same data under a second event id changes nothing and publishes nothing."""
    event = HEARD[topic](say)
    bought.process(event)
    states, said = bought.all_states(), bought.published_data()
    outcome = bought.process(say.again(event))

    assert bought.all_states() == states
    assert bought.published_data() == said
    assert not isinstance(outcome, TooEarly)
    assert outcome is not None


@pytest.mark.parametrize("topic", [t for t in HEARD if t not in {"did.purchased", "provisioning.results"}])
def test_an_event_before_its_purchase_waits_for_it(new_inventory: Any, say: Any, topic: Any) -> None:
    """What came too early ends as if it had come in order."""
    early, late = (new_inventory("master", say.account) for _ in range(2))
    event, purchase = HEARD[topic](say), say.purchased()

    assert isinstance(early.process(event), TooEarly)
    early.process(purchase)
    late.process(purchase)
    late.process(event)

    assert (early.all_states(), early.published_data(), early.parked()) == (
        late.all_states(),
        late.published_data(),
        [],
    )


@pytest.mark.parametrize("name", ASKED)
def test_a_wish_repeated_does_its_work_once(bought: Any, say: Any, name: Any) -> None:
    """Asked again in other words or without a key: unchanged."""
    bought.process(ASKED[name](say))
    states, said = bought.all_states(), bought.published_data()

    assert isinstance(bought.process(ASKED[name](say)), Unchanged)
    assert (bought.all_states(), bought.published_data()) == (states, said)


def test_a_wish_about_an_unknown_did_is_refused_and_does_not_wait(inventory: Any, say: Any) -> None:
    """Nobody waits behind an HTTP call."""
    assert inventory.process(say.assign()).code == "not_found"


def test_a_wish_for_an_account_before_the_one_above_is_refused(inventory: Any, say: Any) -> None:
    """Too early for HTTP is an answer, too."""
    assert inventory.process(say.account_at("master/acme/a/b")).code == "parent_unknown"


def test_a_purchase_over_http_is_taken_as_the_event_that_it_says(inventory: Any, say: Any) -> None:
    """The did.purchased that inventory says itself would find its DID there."""
    assert isinstance(inventory.process(say.purchase()), Decided)
    assert inventory.receive(inventory.published()[0]) is None
    assert inventory.dead_letters() == []
