"""A carrier with an HTTP API is down for ten minutes, and then fails in every way it can. Its numbers become Active.

The carrier's own log is the judge. With `DIDFLOW_FAULT_MINUTES`, 1,000 numbers are activated by the failing carrier,
webhooks get lost, and one of the two adapters is killed.
"""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from faults.installation import Install
from faults.recording_client import OpenClient, RecordingClient
from faults.rest_carrier import RestCarrier, executed, open_office
from harness.processes import until

from didflow import movable_clock
from didflow.durations import parse_duration
from didflow_chassis.dead_letters import connect
from didflow_contracts.topics import SERVICES

IS_LONG: Final = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
RATE: Final = 50
EARLY: Final = 4
"""How many DIDs are purchased at the beginning of the outage. Their activation is given up before its end."""
LATE: Final = 60
"""How many DIDs are purchased shortly before the end of the outage: more than the carrier takes in a second."""
DIDS: Final = 1_000 if IS_LONG else 100
"""How many DIDs the failing carrier activates."""
TIMING: Final = {
    "deadline_s": 6,
    "first_pause_s": 0.2,
    "longest_pause_s": 0.4,
    "rate_per_s": RATE * 0.85,
    "give_up_s": {"activate": 9 * 60},
}
"""Commands leave somewhat slower than the adapter can send them, so that none waits in the adapter."""
FAILING: Final = ("--seed", "7", "--failing", "0.3", "--silent", "0.05", "--twice", "0.02")
ACTIVE: Final = "SELECT count(*) FROM dids WHERE status = 'active'"
TRIED: Final = "SELECT count(*) FROM carrier_commands WHERE attempt > 0 AND state IN ('waiting', 'failed')"
FAILED: Final = "SELECT count(*) FROM carrier_commands WHERE state = 'failed'"
BUSY: Final = "SELECT count(*) FROM number_queues WHERE due_at IS NOT NULL"
ATTEMPTS: Final = "SELECT sum(attempt) FROM carrier_commands WHERE number = ANY($1::text[])"


@dataclass(kw_only=True)
class World:
    """The services, the carrier and its adapters, and connections to databases."""

    client: RecordingClient
    carrier: RestCarrier
    databases: dict[str, Any]
    active: int = 0

    async def count(self, service: str, statement: str, count: int, within: float = 60) -> None:
        """Wait until a statement counts so many rows."""

        async def is_reached() -> bool:
            found: int = await self.databases[service].fetchval(statement)
            await asyncio.sleep(0.05)
            return found == count

        await until(is_reached, within=within, what=f"{count} by {statement}")

    async def pass_time(self, by: str) -> None:
        """Move the clock of all services."""
        await movable_clock.advance(self.carrier.installation.parts.postgres, parse_duration(by))

    async def shown(self, did_id: str) -> tuple[str, str, str]:
        """Return what My Numbers shows of a DID: its status, its state at the carrier, and the next step."""
        did = await self.client.apis["inventory"].get(f"/v1/dids/{did_id}")
        return did["status"], did["routing"]["carrier_state"], did["next_step"]["action"]


@pytest.mark.faults
async def test_all_numbers_become_active_although_their_carrier_is_down_and_then_fails_in_every_way(
    install: Install, open_client: OpenClient, exits: AsyncExitStack, tmp_path: Path
) -> None:
    """Each command is executed once, in the order of its number, and no second has more requests than the limit."""
    installation = await install(*SERVICES)
    carrier = RestCarrier(installation=installation, folder=tmp_path, rate=RATE)
    carrier.start_adapters(2, timeout_s=1)
    client = await open_office(installation, open_client, exits, TIMING)
    databases = {
        name: await connect(installation.parts.postgres[name]) for name in ("inventory", "provisioning")
    }
    for database in databases.values():
        exits.push_async_callback(database.close)
    world = World(client=client, carrier=carrier, databases=databases)
    await is_down_for_ten_minutes(world)
    await fails_in_every_way(world)


async def is_down_for_ten_minutes(world: World) -> None:
    """What waits becomes Active by itself, without a burst. What was given up is shown, and retried by a person."""
    carrier, client, provisioning = world.carrier, world.client, world.client.apis["provisioning"]
    early = await client.purchase(EARLY)
    await world.count("provisioning", TRIED, EARLY)
    for _ in range(4):
        await world.pass_time("PT2M")
        await asyncio.sleep(0.2)
    await client.purchase(LATE)
    await world.count("provisioning", f"{TRIED} AND state = 'waiting'", EARLY + LATE)
    await world.pass_time("PT2M")
    await world.count("provisioning", FAILED, EARLY)

    process = carrier.start("--asynchronous", "activate")
    await world.count("inventory", ACTIVE, LATE)
    log = await carrier.log()
    assert len(log["executions"]) == LATE

    failed = (await provisioning.get("/v1/commands", state="failed"))["items"]
    assert {each["did_id"] for each in failed} == {purchase.did_id for purchase in early}
    assert {each["last_failure"]["code"] for each in failed} == {"carrier_unreachable"}
    assert await world.shown(early[0].did_id) == ("not_configured", "failed", "retry_carrier")
    first, *others = [each["command_id"] for each in failed]
    await provisioning.post(f"/v1/commands/{first}/retry", {})
    answer: Any = await provisioning.post("/v1/commands/batch/retry", {"commands": others})
    assert [each["outcome"] for each in answer["results"]] == ["done"] * len(others)
    await world.count("inventory", ACTIVE, EARLY + LATE)
    assert await world.shown(early[0].did_id) == ("active", "active", "none")

    log, sent = await carrier.log(), await carrier.sent()
    given_up = {each["command_id"] for each in failed}
    assert executed(log) == {
        number: [each for each in commands if str(each) not in given_up] for number, commands in sent.items()
    }
    assert (log["refused"], log["most_asked_in_a_second"] <= RATE) == (0, True)
    world.active = EARLY + LATE
    await process.stop()


async def fails_in_every_way(world: World) -> None:
    """30 % fail, 5 % are never answered, 1 in 50 is reported twice. The settings of DIDs are changed meanwhile."""
    carrier, client, provisioning = world.carrier, world.client, world.client.apis["provisioning"]
    carrier.start(*FAILING, "--asynchronous", "activate", "--lost", "0.02" if IS_LONG else "0")
    began = time.monotonic()
    purchases = await client.purchase(DIDS)
    numbers = [purchase.number for purchase in purchases]
    some = f"SELECT least(count(*), {world.active + DIDS // 2}) FROM dids WHERE status = 'active'"
    await world.count("inventory", some, world.active + DIDS // 2, within=60 + DIDS // 4)
    for capacity in (3, 4):
        body = {"dids": [purchase.did_id for purchase in purchases], "capacity": capacity}
        await provisioning.post("/v1/routing/batch/set-capacity", body)
    if IS_LONG:
        await carrier.adapters[0].kill()
    await world.count("inventory", ACTIVE, world.active + DIDS, within=60 + DIDS // 4)
    await world.count("provisioning", BUSY, 0)

    log, all_sent = await carrier.log(), await carrier.sent()
    sent = {number: all_sent[number] for number in numbers}
    figures = {
        "DIDs": DIDS,
        "commands": sum(map(len, sent.values())),
        "executed": len(log["executions"]),
        "attempts": await world.databases["provisioning"].fetchval(ATTEMPTS, numbers),
        "requests": log["served"],
        "refused with 429": log["refused"],
        "most in a second": log["most_asked_in_a_second"],
        "answered again": log["replays"],
        "webhooks": len(log["webhooks"]),
        "seconds": round(time.monotonic() - began, 1),
    }
    print(figures)  # noqa: T201 - pytest shows it with a failure, or with -s
    assert executed(log) == sent
    assert {number["capacity"] for number in log["numbers"].values()} == {4}
    assert (log["refused"], log["most_asked_in_a_second"] <= RATE) == (0, True), figures
    assert figures["attempts"] > 1.2 * figures["commands"]
