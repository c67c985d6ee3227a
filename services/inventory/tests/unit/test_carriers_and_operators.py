"""Carriers and operators: unique names, whom they serve, and that none is deleted that something names."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_inventory.domain.accounts import commands as c
from didflow_inventory.domain.accounts.carriers import Carrier, CarrierUse, carrier_id_of
from didflow_inventory.domain.accounts.operators import Operator, OperatorUse, operator_id_of
from didflow_inventory.domain.stock.commands import AddNumber, StockFields


def carrier(
    make: Any, name: str = "net", by: str = "master", account: str | None = None, kind: str = "both"
) -> Any:
    """Return the creation of a carrier."""
    return c.CreateCarrier(
        entity_id=carrier_id_of(name),
        subject="",
        caller=make.caller(by, "master_reseller"),
        account=account or by,
        name=name,
        kind=kind,
    )


def about(make: Any, command: Any, name: str = "net", by: str = "master", **fields: Any) -> Any:
    """Return a command about a carrier."""
    caller = make.caller(by, "master_reseller")
    return command(entity_id=carrier_id_of(name), subject="", caller=caller, **fields)


def test_the_name_of_a_carrier_is_unique_in_the_installation(stage: Any, make: Any) -> None:
    """The same again is unchanged. Any other carrier of this name is refused, wherever it is."""
    assert isinstance(stage.decide(carrier(make)), Decided)
    assert isinstance(stage.decide(carrier(make)), Unchanged)
    assert stage.code(carrier(make, kind="sms")) == "carrier_exists"
    assert stage.code(carrier(make, by="other")) == "carrier_exists"
    assert stage.code(carrier(make, "far", account="other")) == "not_found"


def test_a_carrier_is_changed_and_deleted_by_its_account_or_one_above(stage: Any, make: Any) -> None:
    """For others it does not exist. After its deletion the name is free again."""
    stage.decide(carrier(make, account="master/acme"))
    for command, fields in ((c.ChangeCarrier, {"changes": {"kind": "sms"}}), (c.DeleteCarrier, {})):
        assert stage.code(about(make, command, by="other", **fields)) == "not_found"
        assert stage.code(about(make, command, by="master/acme/shop", **fields)) == "not_found"
        assert stage.code(about(make, command, by="master", **fields)) is None
    assert stage.state(Carrier, carrier_id_of("net")).deleted
    assert stage.code(about(make, c.DeleteCarrier)) == "not_found"
    assert stage.code(carrier(make, by="other")) is None


@pytest.mark.parametrize(
    ("kinds", "used", "code"),
    [
        (("both", "sms"), "voice", "in_use"),
        (("both", "voice"), "voice", None),
        (("both", "voice"), "sms", "in_use"),
        (("both", "sms"), "sms", None),
        (("voice", "sms"), "voice", "in_use"),
        (("voice", "both"), "voice", None),
        (("sms", "voice"), "sms", "in_use"),
        (("sms", "both"), "sms", None),
        (("voice", "sms"), "", None),
        (("both", "voice"), "", None),
    ],
)
def test_a_carrier_keeps_the_kind_that_something_uses(
    stage: Any, make: Any, kinds: Any, used: Any, code: Any
) -> None:
    """A further kind is always added."""
    kind, changed = kinds
    stage.decide(carrier(make, kind=kind))
    use = CarrierUse(carrier_id=carrier_id_of("net"), voice=used == "voice", sms=used == "sms")
    stage.store(use)
    decision = stage.decide(about(make, c.ChangeCarrier, changes={"kind": changed}))
    assert getattr(decision, "code", None) == code
    assert getattr(decision, "field", None) == (code and "kind")
    assert stage.state(Carrier, carrier_id_of("net")).kind == (kind if code else changed)
    assert stage.code(about(make, c.ChangeCarrier, by="other", changes={"kind": "sms"})) == "not_found"


def test_a_carrier_that_something_names_is_not_deleted(stage: Any, make: Any) -> None:
    """What names it is looked up under its lock."""
    stage.decide(carrier(make))
    stage.store(CarrierUse(carrier_id=carrier_id_of("net"), voice=True, sms=False))
    assert stage.code(about(make, c.DeleteCarrier)) == "in_use"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"carrier": "simulator", "sms_carrier": "simulator"}, None),
        ({"carrier": "net"}, None),
        ({"carrier": "texts"}, "carrier_unknown"),
        ({"sms_carrier": "texts"}, None),
        ({"carrier": "theirs"}, "carrier_unknown"),
        ({"carrier": "nobodys"}, "carrier_unknown"),
        ({"carrier": "below"}, "carrier_unknown"),
        ({"sms_carrier": "gone"}, "carrier_unknown"),
    ],
)
def test_a_caller_names_only_carriers_that_serve_the_account(
    stage: Any, make: Any, changes: Any, code: Any
) -> None:
    """In a purchase, a porting and an upload. The carrier of the deployment is always known. Foreign is like absent."""
    for each in (
        carrier(make),
        carrier(make, "texts", kind="sms"),
        carrier(make, "theirs", "other"),
        carrier(make, "below", account="master/acme/shop"),
        carrier(make, "gone"),
        about(make, c.DeleteCarrier, "gone"),
    ):
        assert stage.code(each) is None
    add = AddNumber(
        entity_id=make.in_stock, subject=make.in_stock, caller=make.caller(), fields=StockFields(**changes)
    )
    assert stage.code(add) == code
    for command in (make.start_porting(**changes), make.purchase(**changes)):
        decision = stage.decide(command)
        found = getattr(decision, "code", None)
        assert found == code or (found is not None and code is None and found != "carrier_unknown")
        if code is not None:
            assert decision.field == next(iter(changes))


def test_an_order_system_names_any_carrier(stage: Any, make: Any) -> None:
    """A purchase by event is not checked: its carrier may be known to the adapters alone."""
    stage.decide(make.purchased(carrier="nobodys"))
    assert stage.did.holding.carrier == "nobodys"


def operator(make: Any, by: str = "master", **fields: Any) -> Any:
    """Return the creation of an operator."""
    caller = make.caller(by)
    return c.CreateOperator(
        entity_id=operator_id_of(by, "Telco"), subject="", caller=caller, account=by, name="Telco", **fields
    )


def test_the_name_of_an_operator_is_unique_in_its_account(stage: Any, make: Any) -> None:
    """Another account has an operator of the same name."""
    assert stage.code(operator(make, countries=("IE",))) is None
    assert isinstance(stage.decide(operator(make, countries=("IE",))), Unchanged)
    assert stage.code(operator(make, countries=("DE",))) == "operator_exists"
    assert stage.code(operator(make, "other")) is None


def test_an_operator_is_changed_and_deleted_unless_a_number_names_it(stage: Any, make: Any) -> None:
    """A sibling is answered as if there were no such operator."""
    stage.decide(operator(make))
    operator_id = operator_id_of("master", "Telco")

    def by(account: str, command: Any, **fields: Any) -> Any:
        return stage.code(command(entity_id=operator_id, subject="", caller=make.caller(account), **fields))

    assert by("other", c.ChangeOperator, changes={"notes": "x"}) == "not_found"
    assert by("master", c.ChangeOperator, changes={"notes": "x"}) is None
    assert stage.state(Operator, operator_id).notes == "x"
    assert by("other", c.DeleteOperator) == "not_found"
    stage.store(OperatorUse(operator_id=operator_id))
    assert by("master", c.DeleteOperator) == "in_use"
