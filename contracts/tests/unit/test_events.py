"""Rules about the data of events, beyond the type of single fields."""

from typing import Any

import pytest
from pydantic import ValidationError

from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    EVENTS,
    CarrierCommandIssued,
    DidPortingStarted,
    DidPurchased,
    ResultReported,
    ServiceChanged,
    VerificationApproved,
)
from didflow_contracts.events.carrier import ReleaseParameters, ResumeParameters

DID = {"did_id": "01980f2c-7c00-7000-8000-000000000001", "number": "+3532212345", "account": "master/acme"}


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def refused(model: type[EventData], data: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(DID | data)
    return str(caught.value)


@pytest.mark.parametrize("missing", ["order_id", "end_user_type", "billing_period"])
def test_a_purchase_needs_order_number_end_user_type_and_period(
    purchase: dict[str, Any], missing: str
) -> None:
    """Null counts as missing."""
    data = purchase["data"]
    assert missing in refused(DidPurchased, data | {missing: None})
    del data[missing]
    assert missing in refused(DidPurchased, data)


def test_a_purchase_may_leave_the_price_to_the_price_list(purchase: dict[str, Any]) -> None:
    """Its billing period is needed all the same."""
    data = purchase["data"] | {"price": None}
    assert DidPurchased.model_validate(data).price is None


@pytest.mark.parametrize("acquired", ["ported_in", "assigned", "package", "external"])
def test_other_ways_to_get_a_number_need_no_price(acquired: str) -> None:
    """A hand-out, a package pick, an external number and a port-in may have neither order number nor price."""
    data = {"number_type": "local", "features": ["voice_in"], "acquired": acquired}
    assert DidPurchased.model_validate(DID | data).price is None


@pytest.mark.parametrize("acquired", ["ported_in", "package"])
def test_a_price_needs_a_billing_period(acquired: str) -> None:
    """This holds for every way to get a number."""
    price = {"setup": money("0"), "recurring": money("1")}
    data = {"number_type": "local", "features": [], "acquired": acquired, "price": price}
    assert "billing_period" in refused(DidPurchased, data)


def test_a_price_has_one_currency_and_is_not_negative(purchase: dict[str, Any]) -> None:
    """Two currencies or a negative amount are invalid."""
    for price in (
        {"setup": money("1"), "recurring": money("1", "USD")},
        {"setup": money("-1"), "recurring": money("1")},
    ):
        refused(DidPurchased, purchase["data"] | {"price": price})


def test_a_country_that_contradicts_the_number_is_valid_data(purchase: dict[str, Any]) -> None:
    """Inventory refuses such a purchase."""
    assert DidPurchased.model_validate(purchase["data"] | {"country": "DE"}).country == "DE"


def test_features_are_a_set(purchase: dict[str, Any]) -> None:
    """Order and repeats do not matter."""
    mixed = DidPurchased.model_validate(purchase["data"] | {"features": ["sms_in", "voice_in", "sms_in"]})
    assert mixed.features == ("voice_in", "sms_in")


def test_a_porting_needs_an_order_number_but_no_price() -> None:
    """Price, period and end-user type may come with the purchase of the same DID."""
    data = {"number_type": "local", "features": ["voice_in"]}
    assert "order_id" in refused(DidPortingStarted, data)
    assert DidPortingStarted.model_validate(DID | data | {"order_id": "o"}).acquired == "ported_in"


COMMAND = {
    "command_id": DID["did_id"],
    "carrier": "simulator",
    "attempt": 1,
    "deadline": "2026-03-02T09:02:00Z",
    "give_up_at": "2026-03-03T09:00:00Z",
}


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("activate", {"features": ["voice_in"], "capacity": "unlimited"}),
        ("suspend", {"reason": "term"}),
        ("resume", {}),
        ("release", {"keep": True}),
        ("set_voice", {"voice": None}),
        ("set_capacity", {"capacity": 0}),
        ("set_sms", {"sms": None}),
    ],
)
def test_each_action_has_its_own_parameters(action: str, parameters: dict[str, Any]) -> None:
    """The action decides which parameters are valid."""
    command = CarrierCommandIssued.model_validate(
        DID | COMMAND | {"action": action, "parameters": parameters}
    )
    assert type(command.parameters).__name__.lower() == f"{action.replace('_', '')}parameters"
    assert CarrierCommandIssued.model_validate(command.wire()) == command


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("activate", {}),
        ("set_voice", {}),
        ("set_capacity", {"capacity": -1}),
        ("set_capacity", {"capacity": "lots"}),
        ("release", {"keep": "yes"}),
        ("explode", {}),
        ("resume", None),
        ("resume", ReleaseParameters()),
    ],
)
def test_parameters_of_another_action_are_refused(action: str, parameters: Any) -> None:
    """An adapter never has to guess."""
    refused(CarrierCommandIssued, COMMAND | {"action": action, "parameters": parameters})


def test_parameters_may_be_given_as_models() -> None:
    """Publishers in Python need no dictionaries."""
    command = CarrierCommandIssued(**DID, **COMMAND, action="resume", parameters=ResumeParameters())
    assert command.wire()["parameters"] == {}


def test_a_result_needs_only_the_command_and_the_outcome() -> None:
    """A simple adapter may leave all other fields out."""
    result = ResultReported.model_validate(DID | {"command_id": DID["did_id"], "outcome": "failed"})
    assert (result.retryable, result.attempt) == (False, None)


@pytest.mark.parametrize(("service", "state"), [("cnam", "in_process"), ("emergency", "cancelation_pending")])
def test_an_additional_service_has_only_its_own_states(service: str, state: str) -> None:
    """CNAM and the reviewed services have different states."""
    assert "has no state" in refused(ServiceChanged, {"service": service, "state": state})


def test_a_verification_event_needs_only_the_registration() -> None:
    """Everything else may be null."""
    assert "registration" in refused(VerificationApproved, {})
    approved = VerificationApproved.model_validate(DID | {"registration": "approved"})
    assert approved.grace_until is None


def test_event_data_is_immutable(purchase: dict[str, Any]) -> None:
    """An event is a fact."""
    bought = DidPurchased.model_validate(purchase["data"])
    with pytest.raises(ValidationError):
        bought.account = "master/other"  # type: ignore[misc]


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.topic)
def test_every_field_of_every_event_is_described(model: type[EventData]) -> None:
    """The released schemas are the documentation."""
    schema = model.model_json_schema()
    for shape in (schema, *schema.get("$defs", {}).values()):
        for name, field in shape.get("properties", {}).items():
            assert field.get("description"), f"{shape['title']}.{name}"


def test_every_type_is_named_after_its_topic() -> None:
    """The type is `didflow.` + topic + `.v1`."""
    assert len(EVENT_TYPES) == len(EVENTS)
    assert EVENT_TYPES["didflow.did.purchased.v1"] is DidPurchased
