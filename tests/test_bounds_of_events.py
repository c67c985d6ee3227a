"""Values at the bounds in every event: inside, each is decided and stored; outside, it is a dead letter."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness.at_bounds import beyond, value_in, with_value
from harness.fixtures import OnPostgres
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from didflow.services import service
from didflow_chassis.service import Service
from didflow_chassis.testing import FakeStage
from didflow_contracts.bounds import INSTANT
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EVENTS, DidPortingStarted, DidPurchased
from didflow_contracts.topics import SERVICES, TOPICS, topics_of
from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.requirements import ANYWHERE, CountryRules

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DID = {
    "did_id": "0190a5b6-7c00-7000-8000-000000000001",
    "number": "+35319609036",
    "account": "master/acme",
}
CALM = {"acquired": "external", "price": None, "billing_period": None, "order_id": "o-1"}
CATALOGUE = [rules for rules in packaged() if rules.country in ("IE", ANYWHERE)]
CASES = [(name, event) for name in SERVICES for event in EVENTS if event in service(name).events]


def source_of(topic: str) -> str:
    """Return a source that may publish on a topic."""
    source = TOPICS[topic].sources[0]
    return f"{source}simulator" if source.endswith("/") else source


def record(
    model: type[EventData], data: dict[str, Any], number: int, at: datetime = NOW
) -> tuple[str, bytes]:
    """Return the topic and the value of a record with this data."""
    topic = topics_of(model)[0]
    envelope = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": source_of(topic),
        "type": model.type(),
        "time": at.isoformat(),
        "data": data,
    }
    if envelope["source"].startswith("/didflow/"):
        envelope["sequence"] = str(number)
    return topic, json.dumps(envelope).encode()


def fitting(model: type[EventData], data: dict[str, Any], choose: Any) -> dict[str, Any]:
    """Return the data as an event about the DID, with fields that agree with each other."""
    data |= DID
    if "country" in data:
        data["country"] = None
    if "purchased_at" in data:
        data["purchased_at"] = choose([NOW - timedelta(days=399), NOW, NOW + timedelta(hours=23)]).isoformat()
    if data.get("price"):
        data["billing_period"] = data["billing_period"] or 1
        data["price"]["recurring"]["currency"] = data["price"]["setup"]["currency"]
        data["price"]["recurring"]["amount"] = choose(["0", "83333333.333333333"])
    if model is DidPurchased and data["acquired"] == "purchased":
        data |= {
            "order_id": data["order_id"] or "o",
            "end_user_type": data["end_user_type"] or "business",
            "price": data["price"] or _price(choose),
            "billing_period": data["billing_period"] or 12,
        }
    if "service" in data:
        data["state"] = "not_configured"
    if "parameters" in data:
        data |= {"action": "resume", "parameters": {}}
    return data


def _price(choose: Any) -> dict[str, Any]:
    currency = choose(["EUR", "JPY", "KWD"])
    return {
        "setup": {"amount": choose(["0", "1000000000"]), "currency": currency},
        "recurring": {"amount": choose(["0.000000001", "83333333.333333333"]), "currency": currency},
    }


def at_bounds(model: type[EventData], choose: Any) -> dict[str, Any]:
    """Return data of an event with all values at their bounds."""
    schema = model.model_json_schema()
    return fitting(model, value_in(schema, schema, choose), choose)


def purchase() -> tuple[str, bytes]:
    """Return a purchase, so that later events are about a known DID."""
    data = {**DID, "number_type": "local", "features": ["voice_in"], **CALM}
    return record(DidPurchased, data, 1)


def stage_of(name: str, now: datetime = NOW) -> FakeStage:
    """Return a service in memory. Verification has the catalogue of the number."""
    stage = FakeStage(service(name), now=now)
    if name == "verification":
        stage.store(*CATALOGUE)
    return stage


def faults(stage: Any) -> list[Any]:
    """Return what failed: dead letters, and messages that wait because a decision raised."""
    return [*stage.dead_letters(), *(row for row in stage.parked() if row.reason != "early")]


@pytest.mark.parametrize(("name", "model"), CASES, ids=lambda each: getattr(each, "topic", each))
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_value_inside_the_bounds_makes_a_decision_raise(
    name: str, model: type[EventData], data: st.DataObject
) -> None:
    """The event is decided, and so is what follows: the same event again, a purchase, and all timers of two years."""
    stage = stage_of(name)
    is_known = data.draw(st.booleans())
    if is_known:
        stage.receive_record(*purchase())
    stage.receive_record(
        *record(model, at_bounds(model, lambda values: data.draw(st.sampled_from(values))), 2)
    )
    stage.receive_record(*record(model, at_bounds(model, lambda values: values[-1]), 3))
    stage.receive_record(*record(DidPurchased, {**DID, "number_type": "local", "features": [], **CALM}, 4))
    assert faults(stage) == []
    stage.set_time(NOW + timedelta(days=730))
    stage.run_due_timers()
    assert faults(stage) == []


@pytest.mark.parametrize(("name", "model"), CASES, ids=lambda each: getattr(each, "topic", each))
def test_every_value_outside_the_bounds_is_a_dead_letter(name: str, model: type[EventData]) -> None:
    """Its reason is `invalid_data`, and its neighbors in the batch go on."""
    stage = stage_of(name)
    good = at_bounds(model, lambda values: values[-1])
    schema = model.model_json_schema()
    wrong = [each for each in beyond(schema, schema) if each[0][0] not in ("parameters", "state")]
    assert wrong
    for number, (path, value) in enumerate(wrong, start=1):
        stage.receive_record(*record(model, with_value(good, path, value), number))
        letters = stage.dead_letters()
        assert len(letters) == number, (path, value)
        assert letters[-1].reason == "invalid_data", (path, value)
    assert {kind for kind, _ in stage.all_states()} <= {CountryRules}


def every_state_is_in_bounds(stage: FakeStage) -> bool:
    """Return True if no instant of a state lies outside the bounds."""
    return all(
        at in INSTANT
        for state in stage.all_states().values()
        for at in (getattr(state, "due_at", None),)
        if at is not None
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [case for case in CASES if case[1] in (DidPurchased, DidPortingStarted)],
    ids=lambda each: getattr(each, "topic", each),
)
@pytest.mark.parametrize("now", [INSTANT.least + timedelta(days=400), INSTANT.most - timedelta(seconds=1)])
def test_the_first_and_the_last_second_of_time_are_decided(
    name: str, model: type[EventData], now: datetime
) -> None:
    """A clock at either end makes no decision raise, and nothing is due outside the bounds."""
    stage = stage_of(name, now)
    data = {**DID, "number_type": "local", "features": ["voice_in"], "order_id": "o-1"}
    extra = {"end_user_type": "business", "billing_period": 12, "price": _price(lambda values: values[-1])}
    stage.receive_record(*record(model, data | extra, 1, now))
    stage.run_due_timers()
    assert faults(stage) == []
    assert every_state_is_in_bounds(stage)


READS = {
    "inventory": ("/v1/dids", "/v1/dids/{did}", "/v1/dids/{did}/history", "/v1/dids/summary"),
    "billing": ("/v1/terms/{did}", "/v1/ledger"),
    "provisioning": ("/v1/routing/{did}", "/v1/commands"),
    "verification": ("/v1/verifications", "/v1/service-requests"),
}


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("end", [0, -1], ids=["least", "most"])
async def test_what_is_inside_the_bounds_is_stored_and_read_back(
    on_postgres: OnPostgres, name: str, end: int
) -> None:
    """PostgreSQL takes every event with all values at their bounds, HTTP answers it, and the next decision reads it."""
    found: Service = service(name)
    opened = await on_postgres(found, now=NOW)
    await opened.receive_record(*purchase())
    models = [model for model in EVENTS if model in found.events]
    for turn in (0, 1):
        for number, model in enumerate(models, start=2 + turn * len(models)):
            data = at_bounds(model, lambda values: values[end])
            await opened.receive_record(*record(model, data, number))
    assert [(row.reason, row.detail) for row in await opened.dead_letters()] == []
    assert [row.last_error for row in await opened.parked() if row.reason != "early"] == []
    for path in READS[name]:
        answer = await opened.client(account="master", role="operator").get(path.format(did=DID["did_id"]))
        assert answer.status_code == 200, (path, answer.text)
