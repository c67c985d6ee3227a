"""F39: a job is killed, frozen, canceled, run by two workers at once, and its database is restarted.

Each of the four services runs a job over its own states, with live purchases beside it. The long form with 100,000
items and with the latencies of the purchases is `make bench ARGS="jobs"`.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from faults.database_server import DatabaseServer, database_server
from faults.installation import ready
from faults.job_evidence import evidence_of, violations
from faults.job_faults import JobFaults
from faults.job_items import ITEMS
from faults.job_run import JobRun, StartedJob, alone, job_run
from harness.processes import Processes, until
from harness.steady_purchases import at

from didflow_chassis.decision import Decided
from didflow_chassis.jobs.job import JobState

COUNT = 3_000
"""So many that on a slow machine, too, no job is done before its last fault. Then fast workers do the rest."""
IDLE_S = 2.0
SLOW = ("job.page=sleep:0.3", "job.page=sleep:0.4")
"""So that a job lasts longer than its faults, and each of the two workers is the first to end a chunk at times."""
PLACES = ("stage.commit=kill@2~job", "job.committed=kill@2")
"""Where the first worker of a service is killed at first: before the commit of a chunk, or after it."""
SESSION = {"SESSION_TIMEOUT_MS": "3000", "HEARTBEAT_MS": "500"}
OPTIONS = ({"chunk": 25, "lease-s": 2.0}, {"chunk": 25, "lease-s": 0.0})
"""The second worker has no leases, so both often work on the same chunk."""


@pytest.fixture
async def server(exits: AsyncExitStack) -> DatabaseServer:
    """Run a database server for this test."""
    return await exits.enter_async_context(database_server())


@pytest.fixture
async def runs(
    server: DatabaseServer, kafka: str, processes: Processes, tmp_path: Path, exits: AsyncExitStack
) -> Sequence[JobRun]:
    """The four services, each alone on its topics, with their items. No worker is started."""
    dsns = await server.databases(ITEMS)

    async def opened(name: str) -> JobRun:
        installation = alone(name, kafka=kafka, dsn=dsns[name], launcher=processes, folder=tmp_path)
        return await exits.enter_async_context(
            job_run(await exits.enter_async_context(installation), ITEMS[name], COUNT)
        )

    return [await opened(name) for name in ITEMS]


async def test_each_item_of_a_job_is_done_once_whatever_happens(
    runs: Sequence[JobRun], server: DatabaseServer, seed: int
) -> None:
    """F39: kills, freezes and restarts in random order under two workers, then a cancel. Each item once, 0 lost."""
    source = random.Random(seed)
    for run in runs:
        run.start_worker(0, OPTIONS[0], **SESSION, FAILPOINTS=f"{SLOW[0]};{source.choice(PLACES)}")
        run.start_worker(1, OPTIONS[1], **SESSION, FAILPOINTS=SLOW[1])
    await ready(*(worker for run in runs for worker in run.workers.values()))
    async with steady(runs) as idle:
        await asyncio.sleep(IDLE_S)
    async with steady(runs) as busy:
        jobs = [(run, await run.start_job()) for run in runs]
        await asyncio.gather(*map(killed_at_its_place, runs))
        await JobFaults(jobs=jobs, server=server, random_source=source).all_in_random_order()
        await asyncio.gather(*(replaced_and_done(run, job) for run, job in jobs))
    await asyncio.gather(*(ended(run, job, "done") for run, job in jobs))
    for name in idle:
        print(f"{name}: p95 {at(idle[name], 0.95):.0f} ms idle, {at(busy[name], 0.95):.0f} ms")  # noqa: T201
    await asyncio.gather(*(canceled_in_the_middle(run, source.randrange(1, COUNT // 2)) for run in runs))


async def killed_at_its_place(run: JobRun) -> None:
    """Wait until the first worker has killed itself, and start another one in its place."""
    ended = run.workers[0].process
    await until(lambda: ended.exit_code is not None, within=60, what=f"the failpoint of {run.items.service}")
    run.start_worker(0, OPTIONS[0], **SESSION, FAILPOINTS=SLOW[0])


async def replaced_and_done(run: JobRun, job: StartedJob) -> None:
    """Replace the workers one after the other, as an update does. The new ones are fast. Wait until the job is done."""
    run.restart_ended()
    for index, worker in run.workers.items():
        await worker.process.stop()
        run.start_worker(index, **SESSION)
    await run.progress(job.job_id, COUNT)


async def canceled_in_the_middle(run: JobRun, items: int) -> None:
    """Cancel another job when so many items are decided. It has the results of exactly these."""
    async with run.purchases.steady():
        job = await run.start_job()
        await run.progress(job.job_id, items)
        assert isinstance(await run.cancel(job.job_id), Decided)
    await ended(run, job, "canceled")


async def ended(run: JobRun, job: StartedJob, state: JobState) -> None:
    """Check that a job has ended in this state, and what became of each item."""
    assert list(violations(run, await evidence_of(run, job), state=state)) == []


@asynccontextmanager
async def steady(runs: Sequence[JobRun]) -> AsyncIterator[dict[str, list[float]]]:
    """Publish purchases for each service during the block. Then the lists of their times are complete."""
    async with AsyncExitStack() as exits:
        yield {run.items.service: await exits.enter_async_context(run.purchases.steady()) for run in runs}
