"""F39: the workers are killed while a voice trunk of many DIDs is changed, and while it is replaced.

`make faults` does it with 5,000 DIDs.
"""

import asyncio
import os
import random
import sys
import time
from contextlib import AsyncExitStack
from typing import Final
from uuid import UUID

import pytest
from faults.installation import Install, Installation, Member, ready
from faults.job_run import POLL_S
from faults.trunk_moves import BUYER, NOT_CLOSED_IN_ORDER, STATES, Moves, moves, wrong
from harness.processes import until
from harness.steady_purchases import at

IS_LONG: Final = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
DIDS: Final = 5_000 if IS_LONG else 150
SLACK_MS: Final = 100
"""A purchase may take longer by so much, and five times as long, while a job runs: it shares two processes with it."""
IDLE_S: Final = 20.0 if IS_LONG else 0.5
CHUNK: Final = 100 if IS_LONG else 10
SESSION: Final = {"SESSION_TIMEOUT_MS": "3000", "HEARTBEAT_MS": "500"}
SLOW: Final = {} if IS_LONG else {"FAILPOINTS": "job.page=sleep:0.03"}
"""So that a short job, too, lasts until its worker is killed."""


class Workers:
    """Two workers of provisioning. `kills` are the instants at which one was killed and at which all was well again."""

    def __init__(self, installation: Installation, found: Moves, source: random.Random) -> None:
        options = [f"--chunk={CHUNK}", "--lease-s=2"]
        command = [sys.executable, "-m", "faults.job_worker", "provisioning", *options]
        self.members: list[Member] = [
            installation.worker("provisioning", index, command=command, **SESSION, **SLOW)
            for index in range(2)
        ]
        self.kills: list[tuple[float, float]] = []
        self._found, self._source = found, source

    async def kill_in_the_middle(self, job_id: UUID, *, times: int) -> None:
        """Kill a worker with SIGKILL when a part of the DIDs is decided, and start it again. Wait for the job's end."""
        for turn in range(1, times + 1):
            await self._decided(job_id, turn * DIDS // (times + 1))
            assert (await self._found.processed(job_id))[0] == "running"
            await ready(*self.members)
            began, index = time.perf_counter(), self._source.randrange(2)
            await self.members[index].process.kill()
            self.members[index] = self.members[index].again()
            if IS_LONG:
                await self._all_is_well()
            self.kills.append((began, time.perf_counter()))
        await self._decided(job_id, DIDS)
        await until(lambda: self._is_done(job_id), within=60, what="the end of the job")

    async def _all_is_well(self) -> None:
        await ready(*self.members)
        purchases = self._found.purchases
        before = set(purchases.sent)
        await until(lambda: not before & purchases.lost, within=60, what="answers to all purchases")

    async def _decided(self, job_id: UUID, dids: int) -> None:
        async def has_come() -> bool:
            await asyncio.sleep(POLL_S)
            return (await self._found.processed(job_id))[1] >= dids

        await until(has_come, within=600, what=f"{dids} DIDs")

    async def _is_done(self, job_id: UUID) -> bool:
        return (await self._found.processed(job_id))[0] == "done"


@pytest.mark.faults
async def test_each_did_of_a_trunk_gets_one_command_for_each_action_though_workers_are_killed(
    install: Install, exits: AsyncExitStack, seed: int
) -> None:
    """F39: the trunk is changed and then replaced, each by one call. Each DID is set once by each of them, in order.

    Others are not held up: outside of the kills, their purchases take as long as without the jobs, up to the share of
    the jobs.
    """
    installation = await install("provisioning")
    found = await exits.enter_async_context(moves(installation, DIDS))
    workers = Workers(installation, found, random.Random(seed))
    await ready(*workers.members)
    purchases = found.purchases
    async with purchases.steady() as idle:
        await asyncio.sleep(IDLE_S)
    other = await found.create_trunk("other")
    began, times = time.perf_counter(), 2 if IS_LONG else 1
    async with purchases.steady() as busy:
        sip = {"uri": "sip:changed.example.com"}
        changed = await found.start("PATCH", found.trunk_id, name="changed", sip=sip)
        await workers.kill_in_the_middle(changed, times=times)
        between = time.perf_counter()
        replaced = await found.start("POST", f"{found.trunk_id}/replace", by=other)
        await workers.kill_in_the_middle(replaced, times=times)
    ended = time.perf_counter()
    assert await installation.unfinished_work(within=120) == []
    calm = purchases.latencies(began, workers.kills)
    print(  # noqa: T201 - the figures of a run
        f"{DIDS} DIDs, {len(workers.kills)} kills: changed in {between - began:.1f} s, "
        f"replaced in {ended - between:.1f} s; purchases in ms (p50/p95/max): without jobs {_figures(idle)}, "
        f"beside them {_figures(calm)}, with the kills {_figures(busy)}"
    )
    for job_id in (changed, replaced):
        outcomes = await found.outcomes(job_id)
        assert len({number for number, _ in outcomes}) == len(outcomes) == DIDS
        assert {outcome for _, outcome in outcomes} == {"done"}
    expected = [("changed", "sip:changed.example.com"), ("other", "sip:other.example.com")]
    assert list(wrong(found, expected, DIDS)) == []
    assert await found.provisioning.fetch(NOT_CLOSED_IN_ORDER, BUYER) == []
    states = await found.provisioning.fetch(STATES, BUYER)
    assert len(states) == DIDS
    assert {(str(row["wanted"]), row["is_applied"]) for row in states} == {(other, True)}
    assert purchases.lost == set()
    assert not IS_LONG or at(calm, 0.5) < 5 * at(idle, 0.5) + SLACK_MS
    assert (await found.client.delete(f"/v1/voice-trunks/{found.trunk_id}")).status_code == 204


def _figures(latencies: list[float]) -> str:
    times = "/".join(f"{at(latencies, share):.0f}" for share in (0.5, 0.95, 1.0))
    return f"{times} of {len(latencies)}"
