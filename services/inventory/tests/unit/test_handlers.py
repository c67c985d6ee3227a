"""Every handler: a repeated message has its effect once, and an early message is parked and not lost."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_contracts.topics import INVENTORY, topics_read_by
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.stock.commands import AddNumber, EditNumber, MoveNumber, StockFields
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.handlers import commands, events
from didflow_inventory.settings import InventorySettings

SETTINGS = InventorySettings.placeholder()

EVENTS: dict[str, Callable[[Any], Any]] = {
    "did.purchased": lambda make: make.purchased(),
    "did.porting_started": lambda make: make.porting_started(),
    "did.porting_ended": lambda make: make.porting_ended(),
    "enduser.assigned": lambda make: make.enduser_assigned(),
    "verification.required": lambda make: make.registration("awaiting"),
    "verification.not_required": lambda make: make.registration("not_required"),
    "verification.pending": lambda make: make.registration("pending"),
    "verification.approved": lambda make: make.registration("approved"),
    "verification.rejected": lambda make: make.registration("rejected"),
    "verification.expiring": lambda make: make.expiring(),
    "verification.expired": lambda make: make.registration("expired"),
    "service.changed": lambda make: make.service("new"),
    "routing.changed": lambda make: make.routing("active"),
    "did.activated": lambda make: make.activated(),
    "provisioning.results": lambda make: make.result(),
    "term.changed": lambda make: make.term("active"),
    "cycle.expired": lambda make: make.cycle_expired("active"),
    "term.expiring": lambda make: make.term_expiring(),
    "ledger.posted": lambda make: make.ledger_posted(),
    "message.refused": lambda make: make.message_refused(),
    "did.removed": lambda make: make.removed(),
}
NEVER_EARLY = {"did.purchased", "did.porting_started", "provisioning.results"}
COMMANDS: dict[str, Callable[[Any], Any]] = {
    "Purchase": lambda make: make.purchase(),
    "StartPorting": lambda make: make.start_porting(),
    "AssignEndUser": lambda make: make.assign_end_user(),
    "RebuildDid": lambda make: make.rebuild(),
    "CreateAccount": lambda make: make.create_account("master/acme/new"),
    "ChangeAccount": lambda make: make.change_account("master/acme", name="New"),
    "EditDid": lambda make: make.about(c.EditDid, edits=c.Edits(description="Main line", notes="n")),
    "AssignAccount": lambda make: make.about(c.AssignAccount, account="master/acme/shop"),
    "HoldDid": lambda make: make.about(c.HoldDid, days=3),
    "BlockDid": lambda make: make.about(c.BlockDid),
    "AddNumber": lambda make: make.stock(AddNumber, fields=StockFields()),
    "EditNumber": lambda make: make.stock(EditNumber, changes={"tag": "gold"}),
    "MoveNumber": lambda make: make.stock(MoveNumber, to="reserved"),
}
AFTER: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "TakeBack": (COMMANDS["AssignAccount"], lambda make: make.about(c.TakeBack)),
    "UnholdDid": (COMMANDS["HoldDid"], lambda make: make.about(c.UnholdDid)),
    "UnblockDid": (COMMANDS["BlockDid"], lambda make: make.about(c.UnblockDid)),
}
"""Commands that need another one before them."""
ENDING = {"PortOut", "ReturnDid", "CancelPorting"}
"""Commands that end the DID. A repeat finds no live DID."""
TESTED_BY_THEMSELVES = frozenset(
    (
        "AddManyNumbers",
        "DeleteNumber",
        "HandOut",
        "Reserve",
        "CancelReservation",
        "AssignUser",
        "CreateUser",
        "ChangeUser",
        "SetDefaultDid",
        "CreatePackage",
        "ChangePackage",
        "SwitchPackage",
        "AddClient",
        "EndClient",
        "Pick",
        "FollowPackage",
        "DeleteUser",
        "CreateCarrier",
        "ChangeCarrier",
        "DeleteCarrier",
        "CreateOperator",
        "ChangeOperator",
        "DeleteOperator",
    )
)
"""A repeat is a job, a DID or a reservation of its own, or about a thing that is not there any more."""


def without_sequences(stage: Any) -> Any:
    """Return all states, without the last applied sequences."""
    contents = stage.contents()
    dids = [Did(holding=did.holding, views=replace(did.views, sequences={})) for did in contents[Did]]
    return contents | {Did: dids}


def test_inventory_receives_exactly_the_topics_that_the_contracts_give_it() -> None:
    """No topic is forgotten."""
    read = {topic.event for topic in topics_read_by(INVENTORY)}
    assert events(SETTINGS).keys() == read
    assert {model.topic for model in events(SETTINGS)} == set(EVENTS)


def test_every_command_has_a_case_here() -> None:
    """A new command comes with its test for repeats."""
    assert {command.__name__ for command in commands(SETTINGS)} == {
        *COMMANDS,
        *AFTER,
        *ENDING,
        *TESTED_BY_THEMSELVES,
    }


@pytest.mark.parametrize("topic", EVENTS)
def test_an_event_that_is_delivered_twice_has_its_effect_once(purchased: Any, make: Any, topic: Any) -> None:
    """The same event again is not even decided."""
    event = EVENTS[topic](make)
    purchased.decide(event)
    before = purchased.contents(), purchased.topics(), purchased.history
    assert purchased.decide(event) is None
    assert (purchased.contents(), purchased.topics(), purchased.history) == before


@pytest.mark.parametrize("topic", EVENTS)
def test_the_same_data_under_another_event_id_changes_no_state(purchased: Any, make: Any, topic: Any) -> None:
    """A source that publishes its data once more, under a later sequence, changes and publishes nothing."""
    event = EVENTS[topic](make)
    purchased.decide(event)
    before = without_sequences(purchased), purchased.topics()
    purchased.decide(make.again(event))
    assert (without_sequences(purchased), purchased.topics()) == before


@pytest.mark.parametrize("topic", [t for t in EVENTS if t not in NEVER_EARLY])
def test_an_event_before_its_purchase_waits_for_the_purchase(
    with_accounts: Any, make: Any, topic: Any
) -> None:
    """An early event ends in the same state as an event in order."""
    early, in_order = (with_accounts("master", make.account) for _ in range(2))
    event, purchase = EVENTS[topic](make), make.purchased()

    assert isinstance(early.decide(event), TooEarly)
    early.decide(purchase)
    in_order.decide(purchase)
    in_order.decide(event)

    assert early.parked() == []
    assert (early.contents(), early.topics()) == (in_order.contents(), in_order.topics())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_repeated_command_has_its_effect_once(purchased: Any, make: Any, name: Any) -> None:
    """A repeat without an idempotency key is unchanged."""
    if name in ("EditNumber", "MoveNumber"):
        purchased.store(Number(number=make.in_stock, stock="in_stock", uploaded_by=make.account))
    purchased.decide(COMMANDS[name](make))
    before = purchased.contents(), purchased.topics()

    assert isinstance(purchased.decide(COMMANDS[name](make)), Unchanged)
    assert (purchased.contents(), purchased.topics()) == before


@pytest.mark.parametrize("name", AFTER)
def test_a_repeat_of_the_last_change_has_its_effect_once(purchased: Any, make: Any, name: Any) -> None:
    """The repeat is unchanged, and before the change it depends on it is refused."""
    before, command = AFTER[name]
    assert isinstance(purchased.decide(command(make)), Refused)
    purchased.decide(before(make))
    purchased.decide(command(make))
    contents = purchased.contents(), purchased.topics()

    assert isinstance(purchased.decide(command(make)), Unchanged)
    assert (purchased.contents(), purchased.topics()) == contents


def test_a_command_about_an_unknown_did_is_refused_and_not_parked(stage: Any, make: Any) -> None:
    """A caller must not wait for an event."""
    assert stage.code(make.assign_end_user()) == "not_found"
    assert stage.parked() == []


def test_the_creation_of_an_account_before_the_one_above_is_refused(stage: Any, make: Any) -> None:
    """It is not parked either."""
    assert stage.code(make.create_account("master/acme/a/b")) == "parent_unknown"


def test_the_event_of_a_purchase_over_http_changes_nothing_when_inventory_receives_it(
    stage: Any, make: Any
) -> None:
    """Inventory reads the topic to which it publishes `did.purchased` itself."""
    assert isinstance(stage.decide(make.purchase()), Decided)
    copy = make.event(stage.published("did.purchased")[0].data, "/didflow/inventory", 7)
    assert isinstance(stage.decide(copy), Unchanged)
