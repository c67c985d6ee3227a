"""F15: clocks go wrong, of a pod or of everybody. Time is the database's; order is never a matter of timestamps."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from faults.four import Four, event_of, four
from faults.installation import Install, ready
from faults.lives import Life
from faults.oracle import Ask
from harness.fixtures import DatabaseFor
from harness.processes import until

from didflow.services import service
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueMetrics
from didflow_chassis.timers import Timers

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = Life(name="clock", number="+353212000001", begin=BEGIN)
SECOND: Final = timedelta(seconds=1)
SET: Final = "UPDATE clock SET shift = $1::timestamptz - clock_timestamp()"
RUNNING: Final = "SELECT count(*) = 10 FROM terms WHERE cycles_left = 1 AND completed"
RENEWED: Final = "SELECT count(*) = 10 FROM terms WHERE cycles_left = 0"
NOW: Final = "SELECT clock_timestamp() + (SELECT shift FROM clock)"


def timers_of(house: Four, name: str) -> Timers:
    """Return the timers of a service's worker."""
    stage = house.stages[name]
    watch = QueueMetrics(Metrics(), stage.database)
    return Timers(service(name), stage, stage.database, watch, interval_s=1, days=30)


async def strike_at(house: Four, name: str, at: datetime) -> None:
    """Run all timers that are due at an instant of the database."""
    await house.stages[name].database.fetch(SET, at)
    timers = timers_of(house, name)
    while await timers.run_due():
        pass


async def term(house: Four) -> Any:
    """Billing's term."""
    return (await house.states("billing"))[ONE.did_id].state


async def sold(house: Four, **changed: Any) -> None:
    """Sell the DID, free of registration."""
    bought = ONE.event(0, "did.purchased", purchased_at=BEGIN, **changed)
    await house.receive([bought, ONE.event(1, "verification.not_required", 1, registration="not_required")])


async def test_an_expired_did_is_gone_at_the_second_when_34_days_are_over(database_for: DatabaseFor) -> None:
    """F15: 34 days minus a second of database time: still there. 34 days: removed, said at that very instant."""
    async with four(database_for, "billing") as house:
        await sold(house, billing_cycles=0)
        expiry = (await term(house)).expires_at
        await strike_at(house, "billing", expiry - SECOND)
        assert (await term(house)).state == "delayed_removal"
        await strike_at(house, "billing", expiry)
        aging = await term(house)
        assert (aging.state, aging.aging_until) == ("aging", expiry + timedelta(days=34))
        await strike_at(house, "billing", aging.aging_until - SECOND)
        assert (await term(house)).state == "aging"
        await strike_at(house, "billing", aging.aging_until)
        assert (await term(house)).state == "closed"
        removed = [event_of(one) for one in await house.publish() if one.topic == "did.removed"]
        assert [event.time for event in removed] == [aging.aging_until]


async def test_a_clock_that_jumps_back_undoes_and_repeats_nothing(database_for: DatabaseFor) -> None:
    """F15: an hour back after a renewal, and there again: one renewal, one entry, its instant as before."""
    async with four(database_for, "billing") as house:
        await sold(house)
        expiry = (await term(house)).expires_at
        await strike_at(house, "billing", expiry + SECOND)
        renewed, said = await term(house), await house.publish()
        for at in (expiry - timedelta(hours=1), expiry + timedelta(minutes=1)):
            await strike_at(house, "billing", at)
            assert await term(house) == renewed
        assert await house.publish() == []
        assert {event_of(one).time for one in said if one.topic == "cycle.expired"} == {expiry}


async def test_order_is_by_sequence_whatever_the_timestamps_say(database_for: DatabaseFor) -> None:
    """F15: the newer fact was said by a clock an hour behind; it stays, in every service that hears it."""
    approved = ONE.event(-60, "verification.approved", 3)
    pending = ONE.event(60, "verification.pending", 2)
    async with four(database_for, "inventory", "billing", "provisioning") as house:
        await house.receive([ONE.event(0, "did.purchased", purchased_at=BEGIN), approved, pending])
        assert (await house.states("inventory"))[ONE.did_id].state.registration.state == "approved"
        for name in ("billing", "provisioning"):
            assert (await house.states(name))[ONE.did_id].state.registration == "approved"


async def test_what_is_kept_for_a_while_is_kept_by_the_machines_time(database_for: DatabaseFor) -> None:
    """A clock moved by two months makes no repeat unknown; a month of the database's own time does."""
    async with four(database_for, "billing") as house:
        await sold(house)
        database, timers = house.stages["billing"].database, timers_of(house, "billing")
        await database.fetch("UPDATE clock SET shift = interval '60 days'")
        await timers._prune("inbox", "seen_at")
        assert await house.count("billing", "inbox") == 2
        await database.fetch("UPDATE inbox SET seen_at = seen_at - interval '31 days'")
        await timers._prune("inbox", "seen_at")
        assert await house.count("billing", "inbox") == 0


@pytest.fixture
def preload(tmp_path: Path) -> Path:
    """The library that shifts a process's wall clock."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    library = tmp_path / "skewed_clock.so"
    source = Path(__file__).with_name("skewed_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


async def test_pods_whose_clocks_are_wrong_do_nothing_early_and_nothing_twice(
    install: Install, ask: Ask, preload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F15: one worker 10 minutes ahead, one behind: a period ends at the database's second, once for each DID."""
    at = await install("billing")
    oracle = await ask(at)
    monkeypatch.setenv("LD_PRELOAD", str(preload))
    skewed = []
    for index, skew in enumerate(("600", "-600")):
        monkeypatch.setenv("SKEW_S", skew)
        skewed.append(at.worker("billing", index))
    monkeypatch.delenv("LD_PRELOAD")
    await ready(*skewed)
    for n in range(10):
        one = Life(name=f"skewed {n}", number=f"+35321200001{n}", begin=BEGIN)
        bought = one.event(0, "did.purchased", purchased_at=BEGIN, billing_cycles=1)
        for record in (bought, one.event(1, "verification.not_required", 1, registration="not_required")):
            await oracle.send(record.topic, record.value, one.number)
    connection = await asyncpg.connect(at.parts.postgres["billing"])
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
