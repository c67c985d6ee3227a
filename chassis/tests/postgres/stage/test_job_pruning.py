"""Jobs on PostgreSQL: a job and its results are deleted some days after its end, and not before."""

from uuid import UUID

import pytest
import toy_jobs
from toy_jobs import StartAdding, runner
from toy_messages import CALLER, opened
from toy_records import record

from didflow_chassis.database import Database
from didflow_chassis.jobs import store
from didflow_chassis.stage import LocalCall, Stage
from didflow_contracts.ids import uuid7

DAYS, MANY = 30, 1_000


@pytest.fixture
async def adding(stage: Stage) -> Stage:
    """A stage with 25 counters and the job `add`, of which a chunk has 10 items."""
    stage = toy_jobs.stage_like(stage)
    await stage.records([record(opened(n), f"o{n}") for n in range(25)])
    return stage


async def start(stage: Stage) -> UUID:
    job_id = uuid7()
    command = StartAdding(entity_id=str(job_id), subject="", caller=CALLER, amount=1)
    await stage.command([command], LocalCall(actor="user:ana"))
    return job_id


async def kept(database: Database) -> tuple[set[UUID], int]:
    """Return the ids of the jobs, and the number of all results."""
    jobs = await database.fetch("SELECT job_id FROM jobs")
    return {row[0] for row in jobs}, (await database.fetch("SELECT count(*) FROM job_results"))[0][0]


async def test_a_job_is_deleted_some_days_after_its_end_in_the_services_time(
    adding: Stage, database: Database
) -> None:
    """The end of a job is an instant in the service's time, so its age is too. An unfinished job has no end."""
    ended, running = await start(adding), await start(adding)
    await runner(adding, database).finish(ended, lambda _: None)
    await runner(adding, database).run_chunk(running)
    await database.fetch("UPDATE clock SET shift = make_interval(days => $1, mins => -1)", DAYS)
    await store.prune(database, DAYS, MANY)
    assert await kept(database) == ({ended, running}, 35)
    await database.fetch("UPDATE clock SET shift = make_interval(days => $1, mins => 1)", DAYS)
    await store.prune(database, DAYS, MANY)
    assert await kept(database) == ({running}, 10)


async def test_a_job_is_deleted_with_the_last_of_its_results(adding: Stage, database: Database) -> None:
    """A round deletes a limited number of results. The job stays until it has none."""
    job_id = await start(adding)
    await runner(adding, database).finish(job_id, lambda _: None)
    await database.fetch("UPDATE jobs SET finished_at = finished_at - make_interval(days => $1)", DAYS)
    await store.prune(database, DAYS, 20)
    assert await kept(database) == ({job_id}, 5)
    await store.prune(database, DAYS, 20)
    assert await kept(database) == (set(), 0)
