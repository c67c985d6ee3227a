"""Jobs on PostgreSQL: each item once, whatever happens between two statements, and results for all of them."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
import toy
import toy_jobs
from harness.statements import statements_of
from toy_jobs import StartAdding, runner
from toy_messages import CALLER, added, count, opened, published, total
from toy_records import record

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Decided, Refused, Unchanged
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import CancelJob, Job, RetryJob
from didflow_chassis.jobs.kinds import Item, JobTools, Statement
from didflow_chassis.stage import Answer, HttpCall, IdempotencyKey, Stage, messages
from didflow_chassis.telemetry.metrics import Metrics
from didflow_contracts.ids import uuid7

STARTER = Caller(subject="ana", account="master/acme", role="reseller")


@pytest.fixture
async def adding(stage: Stage) -> Stage:
    """A stage with 25 counters and the job `add`, of which a chunk has 10 items."""
    stage = toy_jobs.stage_like(stage)
    await stage.records([record(opened(n), f"o{n}") for n in range(25)])
    return stage


async def run(stage: Stage, command: toy.Command) -> object:
    found: list[object] = []

    def answer(decisions: object) -> Answer:
        found.extend(decisions)
        return Answer(status=200, body=b"")

    key = IdempotencyKey(account="", subject="", route="test", value=None, digest=b"")
    await stage.command([command], HttpCall(key=key, actor=command.caller.actor, answer=answer))
    return found[0]


async def start(stage: Stage, amount: int = 1) -> UUID:
    job_id = uuid7()
    decision = await run(stage, StartAdding(entity_id=str(job_id), subject="", caller=STARTER, amount=amount))
    assert isinstance(decision, Decided)
    return job_id


async def found(database: Database, job_id: UUID) -> Job:
    job = await store.find(database, job_id)
    assert job is not None
    return job


async def results(database: Database, job_id: UUID) -> list[tuple[int, str, str]]:
    rows = await database.fetch(
        "SELECT n, outcome, code FROM job_results WHERE job_id = $1 ORDER BY n", job_id
    )
    return [tuple(row) for row in rows]


async def test_a_job_does_each_item_once_and_has_a_result_for_each(adding: Stage, database: Database) -> None:
    """25 items are done in three chunks. The state, the count and the results are those of all chunks."""
    job_id = await start(adding)
    queued = await found(database, job_id)
    assert (queued.state, queued.total, queued.created_by, queued.account) == (
        "queued",
        None,
        "user:ana",
        "master/acme",
    )
    seen: list[int] = []
    job = await runner(adding, database).finish(job_id, lambda job: seen.append(job.done))
    assert (job.state, job.total, job.done, job.refused) == ("done", 25, 25, 0)
    assert job.finished_at is not None
    assert seen == [10, 20, 25]
    assert [await total(database, n) for n in range(25)] == [1] * 25
    assert await results(database, job_id) == [(n, "done", None) for n in range(1, 26)]


async def test_the_events_of_a_job_name_who_started_it_and_the_job(adding: Stage, database: Database) -> None:
    """`actor` is the starter and `causationid` the job, so a history can say why each item changed."""
    before = len(await published(database))
    job_id = await start(adding)
    await runner(adding, database).finish(job_id, lambda _: None)
    events = (await published(database))[before:]
    assert {(e["actor"], e["causationid"]) for e in events} == {("user:ana", str(job_id))}


async def test_two_runners_at_once_do_each_item_once(adding: Stage, database: Database) -> None:
    """Four runners share two jobs. Each counter gets each amount once, and no result is missing or double."""
    first, second = await start(adding, 1), await start(adding, 100)
    runners = [runner(adding, database) for _ in range(4)]
    await asyncio.gather(
        *(each.finish(job, lambda _: None) for each, job in zip(runners, [first, second] * 2, strict=True))
    )
    assert [await total(database, n) for n in range(25)] == [101] * 25
    for job_id in (first, second):
        assert [n for n, *_ in await results(database, job_id)] == list(range(1, 26))


async def test_a_runner_without_its_lease_does_nothing_twice(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that was frozen past its lease decides over a position that has moved: its chunk does nothing."""
    monkeypatch.setattr(store, "LEASE_S", 0.0)
    job_id = await start(adding)
    await asyncio.gather(*(runner(adding, database).finish(job_id, lambda _: None) for _ in range(5)))
    assert [await total(database, n) for n in range(25)] == [1] * 25
    assert len(await results(database, job_id)) == 25


async def test_a_job_goes_on_where_it_was(adding: Stage, database: Database) -> None:
    """The position is in the table. Another process continues behind the last committed chunk."""
    job_id = await start(adding)
    assert await runner(adding, database).run_chunk()
    assert (await found(database, job_id)).done == 10
    job = await runner(adding, database).finish(job_id, lambda _: None)
    assert (job.state, job.done) == ("done", 25)
    assert [await total(database, n) for n in range(25)] == [1] * 25


async def test_a_chunk_that_is_not_committed_has_no_effect(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items, results and position are one transaction: an error while results are stored undoes the items too."""
    job_id = await start(adding)

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("results")

    monkeypatch.setattr(store, "add_results", broken)
    await runner(adding, database).run_chunk()
    assert [await total(database, n) for n in range(25)] == [0] * 25
    assert (await found(database, job_id)).done == 0


async def test_a_canceled_job_stops_between_two_chunks(adding: Stage, database: Database) -> None:
    """What was done stays done and has results. Nothing more is done, and a second cancel is unchanged."""
    job_id = await start(adding)
    await runner(adding, database).run_chunk()
    cancel = CancelJob(entity_id=job_id, subject="", caller=STARTER, kinds=frozenset({"add"}))
    assert isinstance(await run(adding, cancel), Decided)
    assert isinstance(await run(adding, cancel), Unchanged)
    assert not await runner(adding, database).run_chunk()
    job = await found(database, job_id)
    assert (job.state, job.done, job.changed_by) == ("canceled", 10, "user:ana")
    assert job.finished_at is not None
    assert len(await results(database, job_id)) == 10


async def test_a_job_that_is_canceled_while_a_chunk_runs_keeps_the_whole_chunk_or_nothing_of_it(
    adding: Stage, database: Database
) -> None:
    """The lock of the job orders both: the number of results is the number of items that were done."""
    for _ in range(10):
        job_id = await start(adding)
        cancel = CancelJob(entity_id=job_id, subject="", caller=STARTER, kinds=frozenset({"add"}))
        before = sum([await total(database, n) or 0 for n in range(25)])
        await asyncio.gather(
            runner(adding, database).run_chunk(job_id),
            runner(adding, database).run_chunk(job_id),
            run(adding, cancel),
        )
        job = await found(database, job_id)
        assert job.state == "canceled"
        assert sum([await total(database, n) or 0 for n in range(25)]) - before == job.done
        assert len(await results(database, job_id)) == job.done


@pytest.mark.parametrize(
    ("caller", "kinds"),
    [
        (Caller(subject="eve", account="master/other", role="reseller"), {"add"}),
        (Caller(subject="eve", account="master/acme/shop", role="reseller"), {"add"}),
        (STARTER, {"another"}),
    ],
)
async def test_a_job_of_others_cannot_be_canceled(
    adding: Stage, database: Database, caller: Caller, kinds: set[str]
) -> None:
    """A job outside of the caller's reach, or of a kind that its role may not start, is like an absent one."""
    job_id = await start(adding)
    cancel = CancelJob(entity_id=job_id, subject="", caller=caller, kinds=frozenset(kinds))
    refused = await run(adding, cancel)
    assert isinstance(refused, Refused)
    assert refused.code == "not_found"
    assert (await found(database, job_id)).state == "queued"


async def test_a_finished_job_cannot_be_canceled(adding: Stage, database: Database) -> None:
    """Refused `job_finished`."""
    job_id = await start(adding)
    await runner(adding, database).finish(job_id, lambda _: None)
    cancel = CancelJob(entity_id=job_id, subject="", caller=CALLER, kinds=frozenset({"add"}))
    refused = await run(adding, cancel)
    assert isinstance(refused, Refused)
    assert refused.code == "job_finished"


async def test_items_that_fail_do_not_stop_the_others(adding: Stage, database: Database) -> None:
    """A decision that raises, and a row that the database refuses, are results `internal_error` with a reference."""
    poisoned = await start(adding, toy.POISONED)
    job = await runner(adding, database).finish(poisoned, lambda _: None)
    assert (job.state, job.done, job.refused) == ("done", 0, 25)
    rows = await database.fetch("SELECT code, reference FROM job_results WHERE job_id = $1", poisoned)
    assert {row["code"] for row in rows} == {"internal_error"}
    assert all(row["reference"] for row in rows)
    unstorable = await start(adding, toy.UNSTORABLE)
    job = await runner(adding, database).finish(unstorable, lambda _: None)
    assert (job.state, job.done, job.refused) == ("done", 0, 25)
    assert [await total(database, n) for n in range(25)] == [0] * 25


async def test_a_job_whose_items_cannot_be_read_fails_and_leaves_the_others(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It pauses after each error, and fails after the fifth. Another job is done meanwhile."""

    async def broken(*_: object) -> list[Item]:
        raise ZeroDivisionError("no page")

    broken_id = await start(adding)
    monkeypatch.setitem(adding.service.jobs, "add", toy_jobs.replaced(toy_jobs.ADD, page=broken))
    for failure in range(1, 6):
        assert await runner(adding, database).run_chunk(broken_id)
        job = await found(database, broken_id)
        assert (job.failures, job.state) == (failure, "failed" if failure == 5 else "running")
        assert not await runner(adding, database).run_chunk(broken_id), "it pauses after an error"
        await database.fetch("UPDATE jobs SET leased_until = clock_timestamp() WHERE job_id = $1", broken_id)
    monkeypatch.undo()
    other = await start(adding)
    assert (await runner(adding, database).finish(other, lambda _: None)).state == "done"


async def test_a_chunk_that_needs_too_many_locks_is_done_in_parts(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction may take four locks: at most half of the chunk is done in one. Each item is done once."""
    monkeypatch.setattr(messages, "MAX_LOCKS", 4)
    job_id = await start(adding)
    seen: list[int] = []
    job = await runner(adding, database).finish(job_id, lambda job: seen.append(job.done))
    assert (job.state, job.total, job.done) == ("done", 25, 25)
    assert seen[:2] == [2, 4]
    assert [await total(database, n) for n in range(25)] == [1] * 25
    assert await results(database, job_id) == [(n, "done", None) for n in range(1, 26)]


async def fail(stage: Stage, database: Database, job_id: UUID, **broken: Any) -> Job:
    """Let the chunks of a job fail until the job has failed."""
    kind = stage.service.jobs["add"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stage.service.jobs, "add", toy_jobs.replaced(kind, **broken))
        for _ in range(store.MAX_FAILURES):
            await database.fetch("UPDATE jobs SET leased_until = clock_timestamp() WHERE job_id = $1", job_id)
            assert await runner(stage, database).run_chunk(job_id)
    return await found(database, job_id)


async def test_a_failed_job_goes_on_at_its_position_when_it_is_retried(
    adding: Stage, database: Database
) -> None:
    """Its items are decided once each, and it begins at once. A second retry is unchanged."""

    async def broken(*_: object) -> list[Item]:
        raise ZeroDivisionError("no page")

    job_id = await start(adding)
    await runner(adding, database).run_chunk(job_id)
    failed = await fail(adding, database, job_id, page=broken)
    assert (failed.state, failed.done, failed.position is not None) == ("failed", 10, True)
    retry = RetryJob(entity_id=job_id, subject="", caller=CALLER)
    decision = await run(adding, retry)
    assert isinstance(decision, Decided)
    assert (decision.answer.state, decision.answer.finished_at) == ("running", None)
    assert isinstance(await run(adding, retry), Unchanged)
    assert await runner(adding, database).run_chunk(job_id), "it does not wait"
    job = await runner(adding, database).finish(job_id, lambda _: None)
    assert (job.state, job.done, job.failures) == ("done", 25, 0)
    assert [await total(database, n) for n in range(25)] == [1] * 25
    assert [n for n, *_ in await results(database, job_id)] == list(range(1, 26))


async def test_a_job_that_failed_before_its_items_were_counted_counts_them_when_it_is_retried(
    adding: Stage, database: Database
) -> None:
    """It is queued again, so its total is not missing at its end."""

    async def broken(*_: object) -> int:
        raise ZeroDivisionError("no count")

    job_id = await start(adding)
    assert (await fail(adding, database, job_id, count=broken)).total is None
    decision = await run(adding, RetryJob(entity_id=job_id, subject="", caller=CALLER))
    assert isinstance(decision, Decided)
    assert decision.answer.state == "queued"
    job = await runner(adding, database).finish(job_id, lambda _: None)
    assert (job.state, job.total, job.done) == ("done", 25, 25)


async def test_a_canceled_job_can_go_on(adding: Stage, database: Database) -> None:
    """A job that was canceled by mistake goes on behind its last item, and each item is still done once."""
    job_id = await start(adding)
    await runner(adding, database).run_chunk()
    await run(adding, CancelJob(entity_id=job_id, subject="", caller=STARTER, kinds=frozenset({"add"})))
    assert isinstance(await run(adding, RetryJob(entity_id=job_id, subject="", caller=CALLER)), Decided)
    job = await runner(adding, database).finish(job_id, lambda _: None)
    assert (job.state, job.done) == ("done", 25)
    assert [await total(database, n) for n in range(25)] == [1] * 25


async def test_a_job_that_is_done_is_not_retried(adding: Stage, database: Database) -> None:
    """A done job stays done: 409 `job_finished`. An unknown one is `not_found`."""
    done = await start(adding)
    await runner(adding, database).finish(done, lambda _: None)
    for job_id, code in ((done, "job_finished"), (uuid7(), "not_found")):
        refused = await run(adding, RetryJob(entity_id=job_id, subject="", caller=CALLER))
        assert isinstance(refused, Refused)
        assert refused.code == code


async def test_a_failed_job_is_counted_and_its_error_is_found_by_its_reference(
    adding: Stage, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line of the failure has the reference that the job keeps, and that of the traceback."""

    async def broken(*_: object) -> list[Item]:
        raise ZeroDivisionError("no page")

    metrics = Metrics()
    job_id = await start(adding)
    running = toy_jobs.runner(adding, database, metrics)
    await running.run_chunk(job_id)
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setitem(adding.service.jobs, "add", toy_jobs.replaced(toy_jobs.ADD, page=broken))
        for _ in range(store.MAX_FAILURES):
            await database.fetch("UPDATE jobs SET leased_until = clock_timestamp()")
            await running.run_chunk(job_id)
    (line,) = [record for record in caplog.records if record.message == "A job failed"]
    assert (line.job, line.kind) == (str(job_id), "add")
    assert line.reference == (await found(database, job_id)).reference
    (error,) = [r for r in caplog.records if r.exc_info and r.reference == line.reference]
    assert "no page" in str(error.exc_info)
    assert metrics.registry.get_sample_value("didflow_failed_jobs_total", {"kind": "add"}) == 1
    done = {"kind": "add", "outcome": "done"}
    assert metrics.registry.get_sample_value("didflow_job_items_total", done) == 10


async def test_a_statement_is_run_with_the_chunk_and_overwrites_nothing_newer(
    adding: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that has changed since its item was read is `unchanged`."""
    sql = "UPDATE counters SET total = 50 WHERE number = $1 AND total = $2"

    async def work(_: object, items: list[Item]) -> list[Statement]:
        await adding.records([record(added(3, 5), "between")])
        return [Statement(sql, (item.name, 0)) for item in items]

    monkeypatch.setitem(adding.service.jobs, "add", toy_jobs.replaced(toy_jobs.ADD, work=work, chunk=50))
    job = await runner(adding, database).finish(await start(adding), lambda _: None)
    assert (job.done, job.refused) == (25, 0)
    assert await total(database, 3) == 5
    assert await total(database, 4) == 50
    assert await count(database, "job_results", "outcome = 'unchanged'") == 1


async def test_a_kind_with_short_pages_ends_with_an_empty_one(adding: Stage, database: Database) -> None:
    """Pages of 7 items are not the last ones in chunks of 10. Each item is done once, and nothing is left out."""

    async def short(tools: JobTools[Any], after: str | None, limit: int) -> Sequence[Item]:
        return await toy_jobs.page(tools, after, min(limit, 7))

    kind = toy_jobs.replaced(toy_jobs.ADD, page=short, has_short_pages=True)
    stage = toy_jobs.stage_like(adding, kind)
    seen: list[int] = []
    job = await runner(stage, database).finish(await start(stage), lambda job: seen.append(job.done))
    assert (job.state, job.total, job.done, seen) == ("done", 25, 25, [7, 14, 21, 25, 25])
    assert [await total(database, n) for n in range(25)] == [1] * 25


async def test_the_statements_of_a_chunk_do_not_grow_with_its_items(
    adding: Stage, database: Database
) -> None:
    """One statement for each table, whatever the number of items."""
    counts = []
    for chunk in (5, 25):
        job_id = await start(adding)
        stage = toy_jobs.stage_like(adding, toy_jobs.replaced(toy_jobs.ADD, chunk=chunk))
        async with statements_of(database) as statements:
            await runner(stage, database).run_chunk(job_id)
        counts.append(len(statements))
        await runner(stage, database).finish(job_id, lambda _: None)
    assert counts[0] == counts[1] <= 18, counts
