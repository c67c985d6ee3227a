"""F25: a producer is newer than the consumer. What can be read is; what cannot is never guessed, and waits."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import pytest
from faults.four import READS, Four, four, raw
from faults.lives import Life
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
ONE: Final = Life(name="newer", number="+353212000001", begin=BEGIN)


class WithSatellites(DidPurchased):
    """The purchase of a later release of v1, which knows one more kind of number."""

    number_type: Literal["local", "national", "mobile", "toll_free", "satellite"]


class SecondVersion(DidPurchased):
    """The purchase of a later major version."""

    @classmethod
    def type(cls) -> str:
        """Name the type."""
        return "didflow.did.purchased.v2"


def purchase(life: Life = ONE, **changed: Any) -> Record:
    """Say a purchase in words of which today's models need know nothing; `data` fields are merged."""
    bought = life.event(0, "did.purchased", purchased_at=BEGIN)
    event = json.loads(bought.value)
    data = event["data"] | changed.pop("data", {})
    return raw(json.dumps(event | changed | {"data": data}).encode(), bought.topic, bought.key)


UNREADABLE: Final[Mapping[str, tuple[Record, str]]] = {
    "value": (purchase(data={"number_type": "satellite"}), "invalid_data"),
    "version": (purchase(type="didflow.did.purchased.v2"), "unsupported_version"),
}


def upgraded(name: str) -> Service:
    """The service as a later release would be: it knows both words."""
    old = service(name)
    on = old.events[DidPurchased]
    others = {model: one for model, one in old.events.items() if model is not DidPurchased}
    return replace(old, events={**others, WithSatellites: on, SecondVersion: on})


def deployed(house: Four, name: str) -> Stage:
    """Put the later release on the same database."""
    telemetry = StageTelemetry(Metrics(), start_tracing(service=name, process="test", endpoint=None))
    return Stage(upgraded(name), house.stages[name].database, telemetry)


async def test_unknown_fields_are_taken_and_kept(database_for: DatabaseFor) -> None:
    """F25: fields that nobody here knows change nothing, and inventory's history has them."""
    newer = purchase(
        data={"spin": "left", "price": {**json.loads(purchase().value)["data"]["price"], "tax": 1}}
    )
    async with four(database_for) as house:
        await house.receive([newer])
        for name in READS:
            assert set(await house.states(name)) == {ONE.did_id}
            assert await house.count(name, "dead_letters") == 0
        rows = await house.stages["inventory"].database.fetch("SELECT extra FROM history")
        assert json.loads(rows[0]["extra"])["spin"] == "left"


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_is_not_known_waits_for_the_upgrade(database_for: DatabaseFor, what: str) -> None:
    """F25: an unknown value or major version is a dead letter; what follows waits; the upgrade takes all, in order."""
    record, reason = UNREADABLE[what]
    async with four(database_for) as house, AsyncExitStack():
        await house.receive([record])
        await house.receive([ONE.event(1, "verification.required", 1), ONE.event(2, "did.changed", 1)])
        for name in READS:
            assert await house.states(name) == {}
            assert await house.count(name, "dead_letters", f"reason = '{reason}'") == 1
            later = deployed(house, name)
            dsns = {name: house.stages[name].database.dsn}
            ids = [one.letter.id for one in await dead_letters.listed(dsns, reason=None, limit=10)]
            assert [one.outcome for one in await dead_letters.retry(dsns, ids)] == ["retried"]
            rows = await later.database.fetch("SELECT id FROM parked WHERE entity = ''")
            await later.parked({}, [row["id"] for row in rows])
            assert set(await house.states(name)) == {ONE.did_id}
            assert await house.count(name, "parked") + await house.count(name, "dead_letters") == 0


async def test_both_versions_are_heard_side_by_side(database_for: DatabaseFor) -> None:
    """While producers are upgraded one by one, a later release hears either version on the one topic."""
    old, new = (Life(name=name, number=f"+35321200000{n}", begin=BEGIN) for n, name in enumerate("ab"))
    async with four(database_for) as house:
        for name in READS:
            later = deployed(house, name)
            await later.records([purchase(old), purchase(new, type="didflow.did.purchased.v2")])
            assert set(await house.states(name)) == {old.did_id, new.did_id}
