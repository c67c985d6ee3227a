"""Whose job is next, on PostgreSQL: accounts take turns, however many jobs each of them has started."""

from uuid import UUID

import orjson
import pytest
import toy_jobs
from toy_jobs import job_of, runner
from toy_messages import opened
from toy_records import record

from didflow_chassis.database import Database
from didflow_chassis.jobs import store
from didflow_chassis.stage import Stage
from didflow_contracts.ids import uuid7

QUEUE = """
INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, version)
SELECT gen_random_uuid(), 'add', $1, 'operator', 'user:ana', now(), '{"amount": 1}', 1 FROM generate_series(1, $2)
RETURNING job_id
"""
FINISHED = """
INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, state, finished_at, turn_at, version)
SELECT gen_random_uuid(), 'add', 'master/many', 'operator', 'user:ana', now(), '{}', 'done', now(),
    now() - make_interval(secs => n), 1
FROM generate_series(1, $1) AS n
"""
CHUNKS = "SELECT count(*) FILTER (WHERE done > 0) FROM jobs WHERE account = $1"


@pytest.fixture
async def adding(stage: Stage) -> Stage:
    """A stage with 25 counters and the job `add`, of which a chunk has 10 items."""
    stage = toy_jobs.stage_like(stage)
    await stage.records([record(opened(n), f"o{n}") for n in range(25)])
    return stage


async def queue(database: Database, account: str, jobs: int) -> list[UUID]:
    """Queue jobs of an account and return their ids."""
    return [row["job_id"] for row in await database.fetch(QUEUE, account, jobs)]


async def test_five_hundred_jobs_of_one_account_do_not_delay_the_job_of_another(
    adding: Stage, database: Database
) -> None:
    """Its three chunks come within six turns, although all other jobs were there before it."""
    await queue(database, "master/many", 500)
    one = runner(adding, database)
    for _ in range(5):
        assert await one.run_chunk()
    (job_id,) = await queue(database, "master/one", 1)
    for _ in range(6):
        assert await one.run_chunk()
    assert (await job_of(database, job_id)).state == "done"


async def test_an_account_whose_jobs_end_at_once_has_one_turn_like_the_others(
    adding: Stage, database: Database
) -> None:
    """A job that has ended counts: with each of its small jobs an account has had its turn."""
    small = toy_jobs.stage_like(adding, toy_jobs.replaced(toy_jobs.ADD, chunk=100))
    for account in ("master/many", "master/a", "master/b"):
        await queue(database, account, 50 if account == "master/many" else 4)
    one = runner(small, database)
    for _ in range(12):
        assert await one.run_chunk()
    done = [
        (await database.fetch(CHUNKS, account))[0][0] for account in ("master/many", "master/a", "master/b")
    ]
    assert done == [4, 4, 4]


async def test_an_account_that_starts_jobs_without_end_still_has_its_turns(
    adding: Stage, database: Database
) -> None:
    """A new job is not a turn, so it does not put the account behind the others."""
    await queue(database, "master/a", 50)
    one = runner(adding, database)
    for _ in range(6):
        await queue(database, "master/busy", 5)
        assert await one.run_chunk()
    assert (await database.fetch(CHUNKS, "master/busy"))[0][0] == 3


async def test_turns_go_on_when_the_clock_of_the_database_goes_back(
    adding: Stage, database: Database
) -> None:
    """Turns that were taken an hour ahead of the present time do not count."""
    await queue(database, "master/a", 10)
    await queue(database, "master/b", 10)
    one = runner(adding, database)
    for _ in range(2):
        assert await one.run_chunk()
    await database.fetch("UPDATE jobs SET turn_at = turn_at + interval '1 hour'")
    for _ in range(6):
        assert await one.run_chunk()
    assert [(await database.fetch(CHUNKS, a))[0][0] for a in ("master/a", "master/b")] == [4, 4]


async def test_a_claim_reads_no_more_rows_with_finished_jobs(adding: Stage, database: Database) -> None:
    """The blocks that it reads are those of the unfinished jobs and of one turn of each account."""
    await queue(database, "master/many", 20)
    await queue(database, "master/one", 1)
    before = await blocks_of_claim(database)
    await database.fetch(FINISHED, 20_000)
    await database.fetch("ANALYZE jobs")
    assert await blocks_of_claim(database) < before + 20


async def blocks_of_claim(database: Database) -> int:
    """Claim a job and return how many blocks the statement has read."""
    plan = await database.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {store.CLAIM}", uuid7(), 0.0, ["add"]
    )
    found: int = orjson.loads(plan[0][0])[0]["Plan"]["Shared Hit Blocks"]
    return found
