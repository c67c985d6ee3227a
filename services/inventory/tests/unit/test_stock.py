"""What is done with numbers in stock: added, edited, reserved, archived, released, deleted."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from didflow_chassis.decision import Caller, Decided, Refused, Unchanged
from didflow_contracts.roles import ROLES_OF
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import Carrier, carrier_id_of
from didflow_inventory.domain.stock.commands import (
    AddNumber,
    DeleteNumber,
    EditNumber,
    MoveNumber,
    StockFields,
)
from didflow_inventory.domain.stock.handout import HandOut
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.reservation import Reserve

NUMBER = "+35319609036"
COMMANDS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (EditNumber, {"changes": {"tag": "x"}}),
    (MoveNumber, {"to": "reserved"}),
    (DeleteNumber, {}),
)
ACME = "reseller:master/acme"


def caller(by: str) -> Caller:
    """Return the caller that is written as `role:account`."""
    role, _, account = by.partition(":")
    return Caller(subject="ann", account=account, role=role)


def carrier(name: str, at: datetime) -> Carrier:
    """Return a carrier that serves all accounts of the tests."""
    return Carrier(carrier_id=carrier_id_of(name), account="master", name=name, kind="both", created_at=at)


def about(command: Any, by: str = ACME, number: str = NUMBER, **more: Any) -> Any:
    """Return a command about a number."""
    return command(entity_id=number, subject=number, caller=caller(by), **more)


def add(by: str = ACME, number: str = NUMBER, **fields: Any) -> AddNumber:
    """Return the command that adds a number."""
    added: AddNumber = about(AddNumber, by, number, fields=StockFields(**fields))
    return added


def code(decision: Any) -> str:
    """Return the code of a refusal, else `done` or `unchanged`."""
    if isinstance(decision, Refused):
        return decision.code
    return "done" if isinstance(decision, Decided) else "unchanged"


def test_an_added_number_has_what_the_numbering_plan_and_the_default_carrier_give(stage: Any) -> None:
    """What is given comes first. The number is in no event, because it is no DID."""
    stage.store(Account(path="master", name="m", default_carrier="net", created_at=stage.now()))
    stage.store(carrier("texts", stage.now()))
    assert code(stage.decide(add(tag="gold", features=("voice_in", "sms_in"), sms_carrier="texts"))) == "done"

    number = stage.number
    assert (number.stock, number.uploaded_by, number.country, number.number_type) == (
        "in_stock",
        "master/acme",
        "IE",
        "local",
    )
    assert (number.carrier, number.sms_carrier, number.tag) == ("net", "texts", "gold")
    assert stage.topics() == []


def test_the_same_number_again_is_unchanged_whatever_has_become_of_it(stage: Any) -> None:
    """With other properties it is refused, because an upload changes nothing."""
    stage.decide(add(tag="gold"))
    assert code(stage.decide(add(tag="gold"))) == "unchanged"
    stage.decide(about(MoveNumber, to="reserved"))
    assert code(stage.decide(add(tag="gold"))) == "unchanged"
    assert code(stage.decide(add(tag="silver"))) == "number_exists"


def test_a_number_that_a_reservation_holds_is_unchanged_when_it_is_added_again(stage: Any) -> None:
    """The reservation stays."""
    stage.decide(add())
    stage.decide(
        Reserve(
            entity_id=UUID(int=1), subject="", caller=caller(ACME), numbers=(NUMBER,), count=1, minutes=30
        )
    )
    assert code(stage.decide(add())) == "unchanged"
    assert stage.state(Number, NUMBER).stock == "held"
    assert code(stage.decide(add(tag="silver"))) == "number_exists"


@pytest.mark.parametrize(
    "by", ["reseller:other", "master_reseller:master", "enterprise_admin:master/acme/shop"]
)
def test_a_number_in_the_stock_of_another_account_is_taken(stage: Any, by: str) -> None:
    """Also for the accounts above and below it."""
    stage.store(
        Account(path="master/acme/shop", name="s", allow_external_numbers=True, created_at=stage.now())
    )
    stage.decide(add())
    assert code(stage.decide(add(by))) == "number_taken"


def test_a_number_with_a_live_did_cannot_be_added(purchased: Any, make: Any) -> None:
    """While its carrier has not released it either, whoever asks."""
    assert code(purchased.decide(add())) == "number_taken"
    purchased.decide(make.removed())
    assert code(purchased.decide(add())) == "number_releasing"
    purchased.decide(make.routing("released"))
    assert code(purchased.decide(add())) == "done"


def test_a_number_that_no_numbering_plan_has_cannot_be_added(stage: Any) -> None:
    """It would never work."""
    assert code(stage.decide(add(number="+35300000000"))) == "invalid_number"


@pytest.mark.parametrize("by", ["reseller:nobody", "operator:nobody"])
def test_only_an_account_that_exists_has_a_stock(stage: Any, by: str) -> None:
    """A token can name any account."""
    assert code(stage.decide(add(by))) == "account_unknown"


@pytest.mark.parametrize("role", sorted(ROLES_OF["upload"]))
def test_an_enterprise_adds_and_changes_numbers_only_where_its_account_allows_it(
    stage: Any, role: str
) -> None:
    """The rule is that of external numbers. Resellers need no permission."""
    by, needs = f"{role}:master/acme/shop", role in ("enterprise_admin", "service")
    expected = "external_numbers_not_allowed" if needs else "done"
    assert code(stage.decide(add(by))) == expected
    stage.store(Number(number=NUMBER, stock="in_stock", uploaded_by="master/acme/shop"))
    for command, more in (
        (EditNumber, {"changes": {"tag": "x"}}),
        (MoveNumber, {"to": "reserved"}),
        (DeleteNumber, {}),
    ):
        assert code(stage.decide(about(command, by, **more))) == expected

    stage.store(
        Account(path="master/acme/shop", name="s", allow_external_numbers=True, created_at=stage.now())
    )
    stage.store(Number(number=NUMBER))
    assert code(stage.decide(add(by))) == "done"


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("reseller:master/acme", "done"),
        ("operator:nowhere", "done"),
        ("master_reseller:master", "not_uploader"),
        ("reseller:master/acme/shop", "not_uploader"),
        ("reseller:other", "not_found"),
        ("reseller:master/acme2", "not_found"),
    ],
)
def test_only_the_tier_that_added_a_number_deletes_it(stage: Any, by: str, expected: str) -> None:
    """Those who see it are told why they cannot; for all others it does not exist."""
    stage.decide(add())
    assert code(stage.decide(about(DeleteNumber, by))) == expected
    assert (stage.number.stock is None) is (expected == "done")


def test_a_deleted_number_is_gone_and_can_be_added_by_anybody(stage: Any) -> None:
    """Nothing is left of what its uploader said about it."""
    stage.decide(add(tag="gold"))
    stage.decide(about(DeleteNumber))
    assert stage.number == Number(number=NUMBER)
    assert code(stage.decide(about(DeleteNumber))) == "not_found"
    assert code(stage.decide(add("reseller:other"))) == "done"


@pytest.mark.parametrize(("state", "expected"), [("reserved", "not_found"), ("archived", "not_found")])
def test_an_account_below_is_told_nothing_about_a_number_that_it_cannot_have(
    stage: Any, state: Any, expected: str
) -> None:
    """It sees the stock above as far as it may have the numbers."""
    stage.decide(add(status=state))
    assert code(stage.decide(about(DeleteNumber, "reseller:master/acme/shop"))) == expected


def test_a_did_is_not_changed_as_a_number_in_stock(stage: Any, make: Any) -> None:
    """It is changed as a DID, and it cannot be deleted."""
    stage.decide(add())
    stage.decide(make.purchased())
    for command, more in (
        (EditNumber, {"changes": {"tag": "x"}}),
        (MoveNumber, {"to": "reserved"}),
        (DeleteNumber, {}),
    ):
        assert code(stage.decide(about(command, **more))) == "in_use"


def test_a_new_feature_gets_the_default_carrier_of_the_uploader(stage: Any) -> None:
    """Not that of the account that edits. A carrier that is there stays."""
    stage.store(Account(path="master/acme", name="a", default_carrier="net", created_at=stage.now()))
    stage.store(Account(path="master", name="m", default_carrier="far", created_at=stage.now()))
    stage.store(carrier("own", stage.now()))
    stage.decide(add(carrier="own"))
    edit = about(
        EditNumber, "master_reseller:master", changes={"features": ("voice_in", "sms_in"), "notes": "n"}
    )
    assert code(stage.decide(edit)) == "done"
    assert (stage.number.carrier, stage.number.sms_carrier, stage.number.notes) == ("own", "net", "n")
    assert isinstance(stage.decide(edit), Unchanged)
    stage.decide(about(EditNumber, changes={"carrier": None}))
    assert stage.number.carrier == "net"


@pytest.mark.parametrize("field", ["carrier", "sms_carrier"])
def test_a_number_is_not_edited_to_have_a_carrier_that_does_not_serve_its_uploader(
    stage: Any, field: str
) -> None:
    """As at its upload. The carrier of the deployment is known everywhere."""
    stage.decide(add())
    assert code(stage.decide(about(EditNumber, changes={field: "nobodys"}))) == "carrier_unknown"
    assert code(stage.decide(about(EditNumber, changes={field: "simulator", "tag": "x"}))) == "done"


@pytest.mark.parametrize(("command", "more"), COMMANDS)
def test_a_number_outside_the_reach_and_an_unknown_one_are_not_found_alike(
    stage: Any, command: Any, more: Any
) -> None:
    """The answers are the same to the letter."""
    stage.decide(add("reseller:other"))
    foreign = stage.decide(about(command, **more))
    absent = stage.decide(about(command, number="+35319609037", **more))
    assert foreign == absent
    assert code(foreign) == "not_found"


@pytest.mark.parametrize(
    ("state", "to", "expected"),
    [
        ("in_stock", "reserved", "done"),
        ("in_stock", "archived", "done"),
        ("reserved", "in_stock", "done"),
        ("archived", "in_stock", "done"),
        ("reserved", "reserved", "unchanged"),
        ("reserved", "archived", "number_reserved"),
        ("archived", "reserved", "number_archived"),
        ("held", "in_stock", "number_reserved"),
        ("held", "archived", "number_reserved"),
    ],
)
def test_a_number_moves_by_the_closed_table(stage: Any, state: Any, to: Any, expected: str) -> None:
    """What a reservation holds is moved by the reservation alone."""
    until = stage.now() + timedelta(minutes=1) if state == "held" else None
    stage.store(Number(number=NUMBER, stock=state, uploaded_by="master/acme", until=until))
    assert code(stage.decide(about(MoveNumber, to=to))) == expected


def test_the_history_of_a_number_in_stock_adds_up_to_the_number(stage: Any, make: Any) -> None:
    """From its upload over a reservation, a hand-out, its return and an edit: who, what, and by which message."""
    stage.decide(add(tag="gold"))
    reserve = Reserve(
        entity_id=UUID(int=1), subject="", caller=caller(ACME), numbers=(NUMBER,), count=1, minutes=30
    )
    stage.decide(reserve)
    stage.set_time(make.zero + timedelta(minutes=30))
    stage.run_due_timers()
    stage.decide(
        HandOut(entity_id=make.did_id, subject=NUMBER, caller=caller(ACME), account="master/acme/shop")
    )
    stage.decide(make.removed(account="master/acme/shop", reason="returned"))
    stage.decide(about(EditNumber, changes={"tag": "silver"}))
    stage.decide(about(EditNumber, "reseller:other", changes={"tag": "stolen"}))

    entries = [entry for entry in stage.history if entry.thing == "stock"]
    assert [entry.type for entry in entries] == [
        "http.add_number",
        "http.reserve",
        "timer.reservation_end",
        "http.hand_out",
        "didflow.did.removed.v1",
        "http.edit_number",
    ]
    assert {entry.account for entry in entries} == {"master/acme"}
    folded: dict[str, Any] = {}
    for entry in entries:
        folded |= {name: change["after"] for name, change in entry.changes.items()}
    present = msgspec.json.decode(msgspec.json.encode(stage.number))
    set_now = {name: value for name, value in folded.items() if value is not None}
    assert set_now == {name: value for name, value in present.items() if value and name != "number"}
    others = {(entry.thing, entry.type) for entry in stage.history if entry.thing == "reservation"}
    assert others == {("reservation", "http.reserve"), ("reservation", "timer.reservation_end")}
