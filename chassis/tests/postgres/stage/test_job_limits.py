"""Jobs on PostgreSQL at their limits: no turn, no room in the outbox, one connection, many jobs, many results."""

import asyncio
import time
from uuid import UUID

import pytest
import toy_jobs
from harness.processes import until
from toy_jobs import decision_on, job_of, runner, start
from toy_messages import CALLER, count, opened, total
from toy_records import record

from didflow_chassis.backlog import Backlog
from didflow_chassis.database import Database, Outage
from didflow_chassis.decision import Decided, Refused
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import CancelJob
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.pacing import Pacing
from didflow_chassis.stage import Stage
from didflow_contracts.ids import uuid7

QUEUE = """
INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, version)
SELECT gen_random_uuid(), 'add', 'master', 'operator', 'user:ana', now(), '{"amount": 1}', 1 FROM generate_series(1, $1)
"""
OLD_RESULTS = """
WITH old AS (
    INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, state, finished_at, version)
    SELECT gen_random_uuid(), 'add', '', 'operator', 'user:ana', now(), '{}', 'done', now() - interval '31 days', 1
    FROM generate_series(1, 3) RETURNING job_id)
INSERT INTO job_results (job_id, n, item, outcome)
SELECT job_id, n, 'item', 'done' FROM old, generate_series(1, $1) AS n
"""


@pytest.fixture
async def adding(stage: Stage) -> Stage:
    """A stage with 25 counters and the job `add`, of which a chunk has 10 items."""
    stage = toy_jobs.stage_like(stage)
    await stage.records([record(opened(n), f"o{n}") for n in range(25)])
    return stage


async def test_a_chunk_that_waits_for_its_turn_keeps_its_lease(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for several leases. No other runner begins the same work meanwhile."""
    monkeypatch.setattr(store, "LEASE_S", 0.1)
    job_id = await start(adding)
    pacing = Pacing(database)
    waiting = JobRunner(adding.service, adding, database, pacing, interval_s=0.01)
    other = runner(adding, database)
    async with pacing.turn():
        chunk = asyncio.create_task(waiting.run_chunk())
        await until(lambda: is_leased(database), within=5, what="a lease")
        end = time.monotonic() + 3 * store.LEASE_S
        while time.monotonic() < end:
            assert not await other.run_chunk()
    assert await chunk
    assert (await job_of(database, job_id)).done == 10


async def test_a_worker_that_pauses_leaves_the_job_to_another_worker(
    adding: Stage, database: Database
) -> None:
    """Several workers share one job. If the pause of one held the lease, the job would advance as with one worker."""
    await start(adding)
    pacing = Pacing(database)
    async with pacing.turn():
        await asyncio.sleep(0.2)
    pausing = JobRunner(adding.service, adding, database, pacing, interval_s=0.01)
    chunk = asyncio.create_task(pausing.run_chunk())
    await asyncio.sleep(0.1)
    assert await runner(adding, database).run_chunk()
    assert not chunk.done()
    assert await chunk


async def is_leased(database: Database) -> bool:
    return bool((await database.fetch("SELECT count(lease) FROM jobs"))[0][0])


async def test_a_job_goes_on_when_the_outbox_has_room_again(adding: Stage, database: Database) -> None:
    """While it is full nothing is decided, and no error is counted. The job loses at most one lease of time."""
    backlog = Backlog(database, cap=1)
    stage = toy_jobs.stage_like(adding)
    stage._backlog = backlog
    job_id = await start(adding)
    await backlog.measure()
    with pytest.raises(Outage, match="outbox is full"):
        await runner(stage, database).run_chunk()
    job = await job_of(database, job_id)
    assert (job.done, job.failures, job.state) == (0, 0, "running")
    await database.fetch("DELETE FROM outbox")
    await backlog.measure()
    await database.fetch("UPDATE jobs SET leased_until = clock_timestamp()")
    assert await runner(stage, database).run_chunk()
    assert (await job_of(database, job_id)).done == 10


async def test_a_job_needs_one_connection(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pool of one, the renewals of the lease wait for the chunk, and the chunk for nothing."""
    monkeypatch.setattr(store, "LEASE_S", 0.01)
    job_id = await start(adding)
    alone = Database(database.dsn, application="test", size=1)
    await alone.start()
    try:
        stage = Stage(adding.service, alone, adding._telemetry)
        job = await asyncio.wait_for(runner(stage, alone).finish(job_id, lambda _: None), 10)
    finally:
        await alone.stop()
    assert (job.state, job.done) == ("done", 25)
    assert [await total(database, n) for n in range(25)] == [1] * 25


async def test_a_cancel_at_the_instant_of_the_last_chunk_comes_before_or_after_it(
    adding: Stage, database: Database
) -> None:
    """Either the job is done with all items and the cancel is refused, or it is canceled without the last chunk."""
    for _ in range(15):
        job_id = await start(adding)
        cancel = CancelJob(entity_id=job_id, subject="", caller=CALLER, kinds=frozenset({"add"}))
        for _ in range(2):
            await runner(adding, database).run_chunk(job_id)
        _, decision = await asyncio.gather(
            runner(adding, database).run_chunk(job_id), decision_on(adding, cancel)
        )
        await database.fetch("DELETE FROM outbox")
        job = await job_of(database, job_id)
        results = await count(database, "job_results", f"job_id = '{job_id}'")
        assert results == job.done
        if job.state == "done":
            assert isinstance(decision, Refused)
            assert job.done == 25
        else:
            assert isinstance(decision, Decided)
            assert (job.state, job.done) == ("canceled", 20)


async def test_a_thousand_queued_jobs_take_their_turns(adding: Stage, database: Database) -> None:
    """Ten runners claim each of them once before any of them is claimed again."""
    await database.fetch(QUEUE, 1_000)
    seen: list[UUID] = []

    async def claim_all() -> None:
        while job := await store.claim(database, uuid7(), ["add"], None):
            seen.append(job.job_id)

    await asyncio.gather(*(claim_all() for _ in range(10)))
    assert len(seen) == len(set(seen)) == 1_000


async def test_results_without_number_are_deleted_in_parts(adding: Stage, database: Database) -> None:
    """Old jobs with many results lose a limited number of them at a time, and are deleted with the last one."""
    await database.fetch(OLD_RESULTS, 2_000)
    left = []
    while jobs := await count(database, "jobs"):
        await store.prune(database, 30, 2_500)
        left.append((jobs, await count(database, "job_results")))
    assert [results for _, results in left] == [3_500, 1_000, 0]
