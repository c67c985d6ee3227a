"""F25: a producer is newer than its consumer. Readable events are applied; unreadable ones wait as dead letters."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import pytest
from faults.example_events import ExampleDid
from faults.services_in_process import READS, ServicesInProcess, raw_record, services_in_process
from harness.fixtures import DatabaseFor

from didflow import dead_letters
from didflow.services import service
from didflow_chassis.records import Record
from didflow_chassis.service import Service
from didflow_chassis.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.events import DidPurchased

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = ExampleDid(name="newer", number="+353212000001", begin=BEGIN)


class WithSatellites(DidPurchased):
    """The purchase of a later release of v1 with one more number type."""

    number_type: Literal["local", "national", "mobile", "toll_free", "satellite"]


class SecondVersion(DidPurchased):
    """The purchase of a later major version."""

    @classmethod
    def type(cls) -> str:
        """Return the type."""
        return "didflow.did.purchased.v2"


def purchase(did: ExampleDid = ONE, **changed: Any) -> Record:
    """Return a purchase with fields or types that today's models do not know. `data` fields are merged."""
    record = did.event(0, "did.purchased", purchased_at=BEGIN)
    event = json.loads(record.value)
    data = event["data"] | changed.pop("data", {})
    return raw_record(json.dumps(event | changed | {"data": data}).encode(), record.topic, record.key)


UNREADABLE: Final[Mapping[str, tuple[Record, str]]] = {
    "value": (purchase(data={"number_type": "satellite"}), "invalid_data"),
    "version": (purchase(type="didflow.did.purchased.v2"), "unsupported_version"),
}


def upgraded_service(name: str) -> Service:
    """Return the service of a later release, which reads both versions."""
    old = service(name)
    handler = old.events[DidPurchased]
    others = {model: item for model, item in old.events.items() if model is not DidPurchased}
    return replace(old, events={**others, WithSatellites: handler, SecondVersion: handler})


def upgraded_stage(services: ServicesInProcess, name: str) -> Stage:
    """Return a stage of the later release on the same database."""
    telemetry = StageTelemetry(Metrics(), start_tracing(service=name, process="test", endpoint=None))
    return Stage(upgraded_service(name), services.stages[name].database, telemetry)


async def test_unknown_fields_change_nothing_and_are_stored_in_the_history(database_for: DatabaseFor) -> None:
    """F25: events with unknown fields are applied, and inventory's history stores the fields."""
    newer = purchase(
        data={"spin": "left", "price": {**json.loads(purchase().value)["data"]["price"], "tax": 1}}
    )
    async with services_in_process(database_for) as services:
        await services.receive([newer])
        for name in READS:
            assert set(await services.states(name)) == {ONE.did_id}
            assert await services.count(name, "dead_letters") == 0
        rows = await services.stages["inventory"].database.fetch(
            "SELECT extra FROM history WHERE thing = 'did'"
        )
        assert json.loads(rows[0]["extra"])["spin"] == "left"


@pytest.mark.parametrize("what", UNREADABLE)
async def test_an_unreadable_event_waits_for_the_upgrade(database_for: DatabaseFor, what: str) -> None:
    """F25: an unknown value or major version is a dead letter; its followers wait. The upgrade applies all in order."""
    record, reason = UNREADABLE[what]
    async with services_in_process(database_for) as services, AsyncExitStack():
        await services.receive([record])
        await services.receive([ONE.event(1, "verification.required", 1), ONE.event(2, "did.changed", 1)])
        for name in READS:
            assert await services.states(name) == {}
            assert await services.count(name, "dead_letters", f"reason = '{reason}'") == 1
            later = upgraded_stage(services, name)
            dsns = {name: services.stages[name].database.dsn}
            ids = [item.letter.id for item in await dead_letters.listed(dsns, reason=None, limit=10)]
            assert [item.outcome for item in await dead_letters.retry(dsns, ids)] == ["retried"]
            rows = await later.database.fetch("SELECT id FROM parked WHERE entity = ''")
            await later.parked({}, [row["id"] for row in rows])
            assert set(await services.states(name)) == {ONE.did_id}
            assert await services.count(name, "parked") + await services.count(name, "dead_letters") == 0


async def test_a_later_release_reads_both_versions(database_for: DatabaseFor) -> None:
    """F25: while producers are upgraded one by one, a later release reads both versions from one topic."""
    old, new = (ExampleDid(name=name, number=f"+35321200000{n}", begin=BEGIN) for n, name in enumerate("ab"))
    async with services_in_process(database_for) as services:
        for name in READS:
            later = upgraded_stage(services, name)
            await later.records([purchase(old), purchase(new, type="didflow.did.purchased.v2")])
            assert set(await services.states(name)) == {old.did_id, new.did_id}
