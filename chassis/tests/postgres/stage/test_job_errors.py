"""Jobs on PostgreSQL: what an error means that is not about one item."""

import logging
from typing import Any
from uuid import UUID

import pytest
import toy_jobs
from toy_jobs import StartAdding, runner
from toy_messages import CALLER, opened, total
from toy_records import record

from didflow_chassis.database import Database, Outage
from didflow_chassis.jobs import store
from didflow_chassis.stage import LocalCall, Stage
from didflow_contracts.ids import uuid7


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


def with_broken(stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    """Let one function of the kind `add` raise an error."""

    async def broken(*_: Any) -> None:
        raise error

    monkeypatch.setitem(stage.service.jobs, "add", toy_jobs.replaced(toy_jobs.ADD, **{name: broken}))


async def test_an_error_after_the_commit_is_logged_and_no_failure_of_the_chunk(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The chunks are committed, so the job neither pauses nor fails, and the log says that nothing is tried again."""
    with_broken(adding, monkeypatch, "after", ZeroDivisionError("after"))
    job_id = await start(adding)
    with caplog.at_level(logging.ERROR):
        for done in (10, 20, 25):
            assert await runner(adding, database).run_chunk(job_id), "the job does not pause"
            job = await store.find(database, job_id)
            assert job is not None
            assert (job.done, job.failures, job.reference) == (done, 0, None)
    assert job.state == "done"
    assert [await total(database, n) for n in range(25)] == [1] * 25
    ours = [one.message for one in caplog.records if one.name.endswith("jobs.runner")]
    assert ours == ["A chunk was committed, but what follows it failed"] * 3


async def test_an_outage_names_the_job_that_waits(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outage can be that of a store that only this kind needs. It is not counted as a failure of the job."""
    with_broken(adding, monkeypatch, "work", Outage("the document store: GenericError"))
    job_id = await start(adding)
    with pytest.raises(Outage, match=f"add {job_id}: the document store: GenericError"):
        await runner(adding, database).run_chunk()
    job = await store.find(database, job_id)
    assert job is not None
    assert (job.state, job.failures) == ("running", 0)


@pytest.mark.parametrize(
    "statement",
    ["SELECT no_such_column FROM counters", "SELECT pg_sleep(9)"],
    ids=["wrong", "too slow"],
)
async def test_a_job_whose_statement_cannot_be_run_fails_and_does_not_wait_for_ever(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """Each attempt counts. After the last one the job is `failed` with a reference, and others go on."""

    async def page(tools: Any, *_: Any) -> Any:
        return await tools.database.fetch(statement)

    monkeypatch.setitem(adding.service.jobs, "add", toy_jobs.replaced(toy_jobs.ADD, page=page))
    job_id = await start(adding)
    quick = Database(database.dsn, application="test", statement_timeout_ms=200)
    await quick.start()
    for _ in range(store.MAX_FAILURES):
        assert await runner(adding, quick).run_chunk(job_id)
        await database.fetch("UPDATE jobs SET leased_until = clock_timestamp()")
    await quick.stop()
    job = await store.find(database, job_id)
    assert job is not None
    assert (job.state, job.failures) == ("failed", store.MAX_FAILURES)
    assert job.reference
