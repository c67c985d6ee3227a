"""What each event asks of its data beyond the shape of single fields."""

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


@pytest.mark.parametrize("missing", ["order_id", "end_user_type", "price", "billing_period"])
def test_a_purchase_names_order_user_price_and_period(purchase: dict[str, Any], missing: str) -> None:
    """What is bought needs all four; null is as good as absent."""
    data = purchase["data"]
    assert missing in refused(DidPurchased, data | {missing: None})
    del data[missing]
    assert missing in refused(DidPurchased, data)


@pytest.mark.parametrize("acquired", ["ported_in", "assigned", "package", "external"])
def test_what_is_not_bought_needs_no_price(acquired: str) -> None:
    """A hand-out, a pick, an external number or a port-in may come without order and price."""
    data = {"number_type": "local", "features": ["voice_in"], "acquired": acquired}
    assert DidPurchased.model_validate(DID | data).price is None


@pytest.mark.parametrize("acquired", ["ported_in", "package"])
def test_a_price_always_comes_with_a_period(acquired: str) -> None:
    """However it was acquired, a price without a billing period is invalid."""
    price = {"setup": money("0"), "recurring": money("1")}
    data = {"number_type": "local", "features": [], "acquired": acquired, "price": price}
    assert "billing_period" in refused(DidPurchased, data)


def test_a_price_has_one_currency_and_is_not_negative(purchase: dict[str, Any]) -> None:
    """Two currencies in one price, or a price below zero, are invalid."""
    for price in (
        {"setup": money("1"), "recurring": money("1", "USD")},
        {"setup": money("-1"), "recurring": money("1")},
    ):
        refused(DidPurchased, purchase["data"] | {"price": price})


def test_a_country_that_contradicts_the_number_is_no_schema_error(purchase: dict[str, Any]) -> None:
    """Inventory judges that and refuses the purchase; the event itself is well formed."""
    assert DidPurchased.model_validate(purchase["data"] | {"country": "DE"}).country == "DE"


def test_features_are_a_set(purchase: dict[str, Any]) -> None:
    """Order and repeats do not matter: equal sets are equal values."""
    mixed = DidPurchased.model_validate(purchase["data"] | {"features": ["sms_in", "voice_in", "sms_in"]})
    assert mixed.features == ("voice_in", "sms_in")


def test_a_porting_needs_an_order_but_no_price() -> None:
    """Price, period and end-user type may come later, with the purchase of the same DID."""
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
    """The action decides the shape, and the shape survives the wire."""
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
def test_parameters_of_another_shape_are_refused(action: str, parameters: Any) -> None:
    """An adapter never has to guess what an action meant."""
    refused(CarrierCommandIssued, COMMAND | {"action": action, "parameters": parameters})


def test_emitters_may_hand_over_parameter_models() -> None:
    """Python emitters build parameters as models, not as dicts."""
    command = CarrierCommandIssued(**DID, **COMMAND, action="resume", parameters=ResumeParameters())
    assert command.wire()["parameters"] == {}


def test_a_result_needs_only_the_command_and_the_outcome() -> None:
    """A small adapter may leave everything else out."""
    result = ResultReported.model_validate(DID | {"command_id": DID["did_id"], "outcome": "failed"})
    assert (result.retryable, result.attempt) == (False, None)


@pytest.mark.parametrize(("service", "state"), [("cnam", "in_process"), ("emergency", "cancelation_pending")])
def test_a_service_has_only_its_own_states(service: str, state: str) -> None:
    """CNAM and the reviewed services have different states."""
    assert "has no state" in refused(ServiceChanged, {"service": service, "state": state})


def test_registration_is_the_only_field_every_verification_event_must_have() -> None:
    """The axis after the event is the truth; what else is known may be null."""
    assert "registration" in refused(VerificationApproved, {})
    approved = VerificationApproved.model_validate(DID | {"registration": "approved"})
    assert approved.grace_until is None


def test_values_cannot_be_changed(purchase: dict[str, Any]) -> None:
    """An event is a fact; its data is frozen."""
    bought = DidPurchased.model_validate(purchase["data"])
    with pytest.raises(ValidationError):
        bought.account = "master/other"  # type: ignore[misc]


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.topic)
def test_every_field_of_every_event_is_described(model: type[EventData]) -> None:
    """The released schemas are the documentation; a field without words is none."""
    schema = model.model_json_schema()
    for shape in (schema, *schema.get("$defs", {}).values()):
        for name, field in shape.get("properties", {}).items():
            assert field.get("description"), f"{shape['title']}.{name}"


def test_every_type_is_named_after_its_topic() -> None:
    """`didflow.` + topic + `.v1`, each once."""
    assert len(EVENT_TYPES) == len(EVENTS)
    assert EVENT_TYPES["didflow.did.purchased.v1"] is DidPurchased
