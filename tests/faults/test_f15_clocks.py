"""F15: the clock of a pod or of the database is wrong. Decisions use database time; sequences decide the order."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from faults.example_events import ExampleDid
from faults.installation import Install, ready
from faults.recording_client import OpenClient
from faults.services_in_process import ServicesInProcess, event_of, services_in_process
from harness.fixtures import DatabaseFor
from harness.processes import until

from didflow.services import service
from didflow_chassis.pacing import Pacing
from didflow_chassis.retention import prune
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueMetrics
from didflow_chassis.timers import Timers

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = ExampleDid(name="clock", number="+353212000001", begin=BEGIN)
SECOND: Final = timedelta(seconds=1)
SET: Final = "UPDATE clock SET shift = $1::timestamptz - clock_timestamp()"
RUNNING: Final = "SELECT count(*) = 10 FROM terms WHERE cycles_left = 1 AND completed"
RENEWED: Final = "SELECT count(*) = 10 FROM terms WHERE cycles_left = 0"
NOW: Final = "SELECT clock_timestamp() + (SELECT shift FROM clock)"


def timers_of(services: ServicesInProcess, name: str) -> Timers:
    """Return the timers of a service's worker."""
    stage = services.stages[name]
    metrics = QueueMetrics(Metrics(), stage.database)
    pacing = Pacing(stage.database)
    return Timers(service(name), stage, stage.database, metrics, pacing, interval_s=1, days=30)


async def run_timers_at(services: ServicesInProcess, name: str, at: datetime) -> None:
    """Set the database time and run all due timers."""
    await services.stages[name].database.fetch(SET, at)
    timers = timers_of(services, name)
    while await timers.run_due():
        pass


async def term(services: ServicesInProcess) -> Any:
    """Return billing's term."""
    return (await services.states("billing"))[ONE.did_id].state


async def purchase(services: ServicesInProcess, **changed: Any) -> None:
    """Deliver a purchase of the DID, and the event that it needs no registration."""
    purchased = ONE.event(0, "did.purchased", purchased_at=BEGIN, **changed)
    await services.receive(
        [purchased, ONE.event(1, "verification.not_required", 1, registration="not_required")]
    )


async def test_an_expired_did_is_removed_exactly_after_34_days(database_for: DatabaseFor) -> None:
    """F15: one second before 34 days of database time the term is aging. At 34 days it is removed, with that time."""
    async with services_in_process(database_for, "billing") as services:
        await purchase(services, billing_cycles=0)
        expiry = (await term(services)).expires_at
        await run_timers_at(services, "billing", expiry - SECOND)
        assert (await term(services)).state == "delayed_removal"
        await run_timers_at(services, "billing", expiry)
        aging = await term(services)
        assert (aging.state, aging.aging_until) == ("aging", expiry + timedelta(days=34))
        await run_timers_at(services, "billing", aging.aging_until - SECOND)
        assert (await term(services)).state == "aging"
        await run_timers_at(services, "billing", aging.aging_until)
        assert (await term(services)).state == "closed"
        removed = [event_of(record) for record in await services.publish() if record.topic == "did.removed"]
        assert [event.time for event in removed] == [aging.aging_until]


async def test_a_clock_that_jumps_back_repeats_no_renewal(database_for: DatabaseFor) -> None:
    """F15: the clock goes back an hour after a renewal, and then forward again. There is one renewal and one entry."""
    async with services_in_process(database_for, "billing") as services:
        await purchase(services)
        expiry = (await term(services)).expires_at
        await run_timers_at(services, "billing", expiry + SECOND)
        renewed, published = await term(services), await services.publish()
        for at in (expiry - timedelta(hours=1), expiry + timedelta(minutes=1)):
            await run_timers_at(services, "billing", at)
            assert await term(services) == renewed
        assert await services.publish() == []
        assert {event_of(record).time for record in published if record.topic == "cycle.expired"} == {expiry}


async def test_sequences_and_not_timestamps_decide_the_order(database_for: DatabaseFor) -> None:
    """F15: the event with the higher sequence has the earlier time. Every service that receives it keeps its value."""
    approved = ONE.event(-60, "verification.approved", 3)
    pending = ONE.event(60, "verification.pending", 2)
    async with services_in_process(database_for, "inventory", "billing", "provisioning") as services:
        await services.receive([ONE.event(0, "did.purchased", purchased_at=BEGIN), approved, pending])
        assert (await services.states("inventory"))[ONE.did_id].state.views.registration.state == "approved"
        for name in ("billing", "provisioning"):
            assert (await services.states(name))[ONE.did_id].state.registration == "approved"


async def test_inbox_rows_are_pruned_by_real_time(database_for: DatabaseFor) -> None:
    """F15: a clock that is moved by two months prunes no inbox row. Rows that are a real month old are pruned."""
    async with services_in_process(database_for, "billing") as services:
        await purchase(services)
        database = services.stages["billing"].database
        await database.fetch("UPDATE clock SET shift = interval '60 days'")
        await prune(database, service("billing"), days=30)
        assert await services.count("billing", "inbox") == 2
        await database.fetch("UPDATE inbox SET seen_at = seen_at - interval '31 days'")
        await prune(database, service("billing"), days=30)
        assert await services.count("billing", "inbox") == 0


@pytest.fixture
def preload(tmp_path: Path) -> Path:
    """Return the library that shifts the wall clock of a process."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    library = tmp_path / "skewed_clock.so"
    source = Path(__file__).with_name("skewed_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


async def test_pods_with_wrong_clocks_run_each_timer_once_and_not_early(
    install: Install, open_client: OpenClient, preload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F15: one worker is 10 minutes ahead, one behind. Each period ends once, at its second of database time."""
    installation = await install("billing")
    client = await open_client(installation)
    monkeypatch.setenv("LD_PRELOAD", str(preload))
    skewed = []
    for index, skew in enumerate(("600", "-600")):
        monkeypatch.setenv("SKEW_S", skew)
        skewed.append(installation.worker("billing", index))
    monkeypatch.delenv("LD_PRELOAD")
    await ready(*skewed)
    for n in range(10):
        did = ExampleDid(name=f"skewed {n}", number=f"+35321200001{n}", begin=BEGIN)
        purchased = did.event(0, "did.purchased", purchased_at=BEGIN, billing_cycles=1)
        for record in (purchased, did.event(1, "verification.not_required", 1, registration="not_required")):
            await client.send(record.topic, record.value, did.number)
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    try:
        await until(lambda: connection.fetchval(RUNNING), within=20, what="ten terms")
        expiry = await connection.fetchval("SELECT max(expires_at) FROM terms")
        await connection.execute(SET, expiry - 2 * SECOND)
        while await connection.fetchval(NOW) < expiry - SECOND / 10:
            assert await connection.fetchval(RUNNING)
        await until(lambda: connection.fetchval(RENEWED), within=10, what="ten renewals")
        posted = await connection.fetch("SELECT posted_at FROM ledger WHERE kind = 'renewal'")
        assert [row["posted_at"] for row in posted] == [expiry] * 10
    finally:
        await connection.close()
