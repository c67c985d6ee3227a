"""A refused event is published as `message.refused`; a close but unknown field name is counted and logged."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import toy
from msgspec import structs
from toy_messages import ACCOUNT, add, added, command, opened, published
from toy_records import named, raw, record

from didflow_chassis.database import Database
from didflow_chassis.decision import Decided, Decision
from didflow_chassis.service import Holder, Service
from didflow_chassis.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing

HOLDER = "master/holder"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def stage(database: Database, metrics: Metrics) -> Stage:
    service: Service = replace(toy.SERVICE, holder=lambda counter: Holder(counter.number, HOLDER))
    telemetry = StageTelemetry(metrics, start_tracing(service="counting", process="test", endpoint=None))
    return Stage(service, database, telemetry)


async def refusals(database: Database) -> list[dict[str, object]]:
    return [event for event in await published(database) if event["type"] == "didflow.message.refused.v1"]


async def test_a_refused_event_is_published_with_its_code_and_the_account_of_the_holder(
    stage: Stage, database: Database
) -> None:
    """The refusal has the next sequence of the entity, so it can be told apart from every other event."""
    await command(stage, toy.SetLimit(entity_id="default", subject="", caller=add(1, 1).caller, most=3))
    await stage.records([record(opened(1), "1"), record(added(1, 5), "2")])
    (event,) = await refusals(database)
    did_id, number = named(1)
    assert event["data"] == {
        "did_id": str(did_id),
        "number": number,
        "account": HOLDER,
        "refused_type": "didflow.counter.added.v1",
        "refused_source": "/tests",
        "refused_id": "2",
        "code": "over_limit",
        "field": None,
    }
    assert (event["sequence"], event["causationid"]) == ("2", "2")


async def test_a_repeat_of_a_refused_event_and_a_refused_command_publish_nothing(
    stage: Stage, database: Database
) -> None:
    """A refusal over HTTP is already the answer to the caller."""
    await command(stage, toy.SetLimit(entity_id="default", subject="", caller=add(1, 1).caller, most=3))
    refused = record(added(1, 5), "2")
    await stage.records([record(opened(1), "1"), refused])
    await stage.records([refused])
    await command(stage, add(1, 9))
    assert len(await refusals(database)) == 1


async def test_a_decision_that_notes_its_refusal_writes_its_states_and_publishes_the_refusal_once(
    database: Database, metrics: Metrics
) -> None:
    """Its own events come first. It is counted as refused, and a repeat does nothing."""

    def noting(counter: toy.Counter, *_: object) -> toy.Decision:
        did_id, number = named(1)
        counted = toy.Counted(did_id=did_id, number=number, account=ACCOUNT, total=7)
        return toy.Decided(
            state=replace(counter, total=7), events=(counted,), refused=toy.Refused("over_limit")
        )

    service = replace(
        toy.SERVICE,
        holder=lambda counter: Holder(counter.number, HOLDER),
        events={**toy.SERVICE.events, toy.Added: replace(toy.SERVICE.events[toy.Added], decide=noting)},
    )
    telemetry = StageTelemetry(metrics, start_tracing(service="counting", process="test", endpoint=None))
    stage, refused = Stage(service, database, telemetry), record(added(1, 5), "2")
    await stage.records([record(opened(1), "1"), refused])
    await stage.records([refused])

    last = (await published(database))[-2:]
    assert [(event["type"], event["sequence"]) for event in last] == [
        ("didflow.counter.counted.v1", "2"),
        ("didflow.message.refused.v1", "3"),
    ]
    assert (last[0]["data"]["total"], last[1]["data"]["code"]) == (7, "over_limit")
    line = f'didflow_messages_total{{code="over_limit",outcome="refused",type="{toy.Added.type()}"}} 1.0'
    assert line in metrics.expose().decode()


async def test_the_refusal_of_an_outdated_event_is_not_published(
    database: Database, metrics: Metrics
) -> None:
    """Outdated events are normal, because the order of topics is open."""
    outdated = replace(toy.SERVICE.events[toy.Added], decide=lambda *_: toy.Refused("outdated"))
    service = replace(
        toy.SERVICE,
        holder=lambda counter: Holder(counter.number, HOLDER),
        events={**toy.SERVICE.events, toy.Added: outdated},
    )
    telemetry = StageTelemetry(metrics, start_tracing(service="counting", process="test", endpoint=None))
    await Stage(service, database, telemetry).records([record(opened(1), "1"), record(added(1, 5), "2")])
    assert await refusals(database) == []


async def test_a_data_field_with_a_close_name_is_counted_and_logged_once_for_each_source(
    stage: Stage, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    """The event is accepted, because unknown fields are allowed."""
    did_id, number = named(1)
    data = {"did_id": str(did_id), "number": number, "account": ACCOUNT, "amount": 1, "ammount": 2}
    event = {"specversion": "1.0", "source": "/orders/acme", "time": datetime.now(UTC).isoformat()}
    event |= {"type": toy.Added.type()}
    with caplog.at_level(logging.WARNING):
        await stage.records(
            [record(opened(1), "0"), *(raw(orjson.dumps(event | {"id": i, "data": data})) for i in "12")]
        )
    logged = [line for line in caplog.records if getattr(line, "fields", None) == {"ammount": "amount"}]
    assert [getattr(line, "source", None) for line in logged] == ["/orders/acme"]
    assert 'didflow_near_misses_total{type="didflow.counter.added.v1"} 2.0' in metrics.expose().decode()


async def test_what_a_decision_leaves_to_a_person_is_counted_after_its_commit(
    database: Database, metrics: Metrics
) -> None:
    """The counts show which check keeps people busy. A repeat is not counted again."""

    def leaving(*args: Any) -> Decision:
        decided = toy.SERVICE.events[toy.Opened].decide(*args)
        assert isinstance(decided, Decided)
        return structs.replace(decided, manual_checks=(("IE", "colour"),))

    service: Service = replace(
        toy.SERVICE,
        events={**toy.SERVICE.events, toy.Opened: replace(toy.SERVICE.events[toy.Opened], decide=leaving)},
    )
    telemetry = StageTelemetry(metrics, start_tracing(service="counting", process="test", endpoint=None))
    stage = Stage(service, database, telemetry)
    await stage.records([record(opened(1), "1")])
    await stage.records([record(opened(1), "1")])
    assert 'didflow_manual_checks_total{check="colour",scope="IE"} 1.0' in metrics.expose().decode()
