"""Jobs on PostgreSQL: a lease only avoids double work. Each item is done once, whoever believes to have the lease."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
import toy_jobs
from harness.processes import until
from toy_jobs import job_of, runner, start
from toy_messages import count, opened, total
from toy_records import record

from didflow_chassis.database import Database
from didflow_chassis.decision import Unchanged
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import Job
from didflow_chassis.jobs.kinds import Item, JobTools, Work
from didflow_chassis.stage import Stage

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
)
NOT_DONE = "SELECT did_id, number FROM counters WHERE total = 0 ORDER BY did_id LIMIT $1"


@pytest.fixture
async def adding(stage: Stage) -> Stage:
    """A stage with 25 counters and the job `add`, of which a chunk has 10 items."""
    stage = toy_jobs.stage_like(stage)
    await stage.records([record(opened(n), f"o{n}") for n in range(25)])
    return stage


@pytest.fixture
def without_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every lease is over at once, as that of a frozen runner is, and none is renewed."""

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(store, "LEASE_S", 0.0)
    monkeypatch.setattr(store, "renew", never)


async def until_waiting(database: Database) -> None:
    """Wait until a transaction waits for a lock of the stage."""

    async def waits() -> bool:
        await asyncio.sleep(0.01)
        return bool((await database.fetch(WAITING))[0][0])

    await until(waits, within=5, what="a transaction that waits for a lock")


@pytest.mark.usefixtures("without_leases")
async def test_two_runners_at_the_same_position_count_each_item_once(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the same page. The second waits for the lock of the job and finds that it has moved.

    The items are unchanged and not listed, so no other lock and no key of a result keeps the two apart.
    """
    first_has_decided, second_waits = asyncio.Event(), asyncio.Event()
    add_results = store.add_results

    async def slowly(*values: Any) -> None:
        first_has_decided.set()
        await second_waits.wait()
        await add_results(*values)

    async def work(_: Any, items: Sequence[Item]) -> Sequence[Work]:
        return [Unchanged() for _ in items]

    kind = toy_jobs.replaced(toy_jobs.ADD, work=work, lists_unchanged=False)
    stage = toy_jobs.stage_like(adding, kind)
    job_id = await start(stage)
    monkeypatch.setattr(store, "add_results", slowly)
    first = asyncio.create_task(runner(stage, database).run_chunk(job_id))
    await first_has_decided.wait()
    second = asyncio.create_task(runner(stage, database).run_chunk(job_id))
    try:
        await until_waiting(database)
    finally:
        second_waits.set()
        await asyncio.gather(first, second)
    assert (await job_of(database, job_id)).done == 10


@pytest.mark.usefixtures("without_leases")
async def test_a_position_that_is_reached_again_is_not_the_same_place(
    adding: Stage, database: Database
) -> None:
    """A kind may call all positions the same. The number of decided items tells two places apart."""

    async def page(tools: JobTools[Any], _: str | None, limit: int) -> Sequence[Item]:
        rows = await tools.database.fetch(NOT_DONE, limit)
        return [Item(row["number"], "the next ones", row["did_id"]) for row in rows]

    stage = toy_jobs.stage_like(adding, toy_jobs.replaced(toy_jobs.ADD, page=page, chunk=5))
    job_id = await start(stage)
    await asyncio.gather(*(runner(stage, database).finish(job_id, lambda _: None) for _ in range(5)))
    assert [await total(database, n) for n in range(25)] == [1] * 25
    job = await job_of(database, job_id)
    assert (job.state, job.done, job.failures) == ("done", 25, 0)


async def test_a_renewal_that_arrives_after_its_chunk_does_not_lease_the_job_again(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was sent while the chunk was committed. The next chunk can begin at once, by another runner."""
    leases: list[UUID] = []
    claim = store.claim

    async def noted(database: Database, lease: UUID, *values: Any) -> Job | None:
        leases.append(lease)
        return await claim(database, lease, *values)

    monkeypatch.setattr(store, "claim", noted)
    job_id = await start(adding)
    await runner(adding, database).run_chunk()
    await store.renew(database, job_id, leases[0])
    assert await runner(adding, database).run_chunk()
    assert (await job_of(database, job_id)).done == 20


async def test_a_chunk_of_a_job_that_fails_meanwhile_is_not_done(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another runner has counted the last error while the chunk was decided. The job stays failed, with its end."""
    job_id = await start(adding)
    add_results = store.add_results

    async def fail_first(*values: Any) -> None:
        lease = (await database.fetch("SELECT lease FROM jobs"))[0][0]
        monkeypatch.setattr(store, "MAX_FAILURES", 1)
        await store.fail(database, job_id, lease, "reference")
        await add_results(*values)

    monkeypatch.setattr(store, "add_results", fail_first)
    await runner(adding, database).run_chunk()
    job = await job_of(database, job_id)
    assert (job.state, job.done, job.failures) == ("failed", 0, 1)
    assert job.finished_at is not None
    assert await count(database, "job_results") == 0
    assert [await total(database, n) for n in range(25)] == [0] * 25


async def test_a_job_goes_on_when_the_clock_of_the_database_goes_back(
    adding: Stage, database: Database
) -> None:
    """Its lease was written an hour ahead of the present time. No lease is so long, so it is not waited for."""
    job_id = await start(adding)
    await database.fetch("UPDATE jobs SET leased_until = clock_timestamp() + interval '1 hour'")
    assert await runner(adding, database).run_chunk()
    assert (await job_of(database, job_id)).done == 10


async def test_a_runner_of_an_older_release_leaves_the_kinds_that_it_does_not_know(
    adding: Stage, database: Database
) -> None:
    """It does not lease their jobs. A runner that knows the kind does them."""
    job_id = await start(adding)
    older = toy_jobs.stage_like(adding)
    older.service.jobs.pop("add")  # type: ignore[attr-defined]
    assert not await runner(older, database).run_chunk()
    assert await runner(adding, database).run_chunk()
    assert (await job_of(database, job_id)).done == 10


async def test_queued_jobs_advance_in_turn(adding: Stage, database: Database) -> None:
    """The first one is not finished before the last one has begun."""
    jobs = [await start(adding) for _ in range(40)]
    one = runner(adding, database)
    for _ in jobs:
        assert await one.run_chunk()
    assert await count(database, "jobs", "done = 10") == 40
