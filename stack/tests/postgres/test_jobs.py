"""`didflow jobs` on real databases: the jobs of all services, in a pipe and in terminals of several widths."""

import asyncio
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from click.testing import Result
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of
from harness.terminal import in_terminal
from typer.testing import CliRunner

from didflow import jobs
from didflow.cli import app
from didflow.dead_letters import login
from didflow.errors import Ambiguous
from didflow.id_prefix import parse_id
from didflow.processes import script
from didflow.services import SERVICES
from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import uuid7

RUNNER = CliRunner()
NO_ENVIRONMENT = {"DIDFLOW_POSTGRES": None, "DIDFLOW_KAFKA": None, "DIDFLOW_DATA": None}
START = datetime(2026, 10, 1, tzinfo=UTC)
JOB = """
INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, state, total, done, finished_at,
    failures, reference, leased_until)
VALUES ($1, $2, 'master/acme', 'reseller', 'user:ann', $3, '{}', $4, $5, $6, $7, 5, 'abc123', $8)
"""
RESULTS = """
INSERT INTO job_results (job_id, n, item, outcome, code, message, reference)
SELECT $1, n, '+44207946' || lpad(n::text, 4, '0'), CASE WHEN n % 2 = 0 THEN 'refused' ELSE 'done' END,
    CASE WHEN n % 2 = 0 THEN 'not_found' END, CASE WHEN n % 2 = 0 THEN 'No such number in your accounts.' END, NULL
FROM generate_series(1, $2::int) n
"""


async def insert(dsn: str, state: str = "running", *, hour: int = 0, kind: str = "rebuild") -> UUID:
    """Insert a job with 10 of 25 items done. Return its id."""
    job_id = uuid7()
    end = START if state in ("done", "canceled", "failed") else None
    connection = await asyncpg.connect(dsn)
    created = START + timedelta(hours=hour)
    await connection.execute(JOB, job_id, kind, created, state, 25, 10, end, START)
    await connection.close()
    return job_id


async def add_results(dsn: str, job_id: UUID, count: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(RESULTS, job_id, count)
    await connection.close()


async def state_of(dsn: str, job_id: UUID) -> str:
    connection = await asyncpg.connect(dsn)
    state = await connection.fetchval("SELECT state FROM jobs WHERE job_id = $1", job_id)
    await connection.close()
    return state


def command(folder: Path, *arguments: str) -> Result:
    return RUNNER.invoke(app, ["jobs", *arguments, "--data", str(folder)], env=NO_ENVIRONMENT)


def objects(done: Result) -> list[dict[str, Any]]:
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_the_jobs_of_all_services_are_listed_by_their_creation(databases: Mapping[str, str]) -> None:
    """The newest comes first, whatever its service. Kind and state narrow the list before its limit."""
    billing, provisioning = databases.values()
    ids = [await insert(dsn, hour=hour) for hour, dsn in enumerate((billing, provisioning, billing))]
    failed = await insert(billing, "failed", hour=-1)
    replaced = await insert(provisioning, hour=-2, kind="replace_trunk")

    async def listed(kind: str | None = None, state: Any = None, limit: int = 10) -> list[UUID]:
        found = await jobs.listed(databases, kind=kind, state=state, limit=limit)
        return [one.job.job_id for one in found]

    assert await listed() == [*reversed(ids), failed, replaced]
    assert await listed(state="failed", limit=1) == [failed]
    assert await listed(kind="replace_trunk", limit=1) == [replaced]
    assert await listed(limit=2) == [ids[2], ids[1]]


async def test_a_job_is_found_by_the_beginning_of_its_id(databases: Mapping[str, str]) -> None:
    """The service does not matter. If several ids begin so, the error lists them."""
    ids = [await insert(dsn) for dsn in databases.values()]
    for name, job_id in zip(databases, ids, strict=True):
        for text in (str(job_id), str(job_id)[:-1], job_id.hex):
            found = await jobs.matching(databases, parse_id(text))
            assert found is not None
            assert (found.service, found.job.job_id) == (name, job_id)
    assert await jobs.matching(databases, parse_id("ffff")) is None
    with pytest.raises(Ambiguous) as error:
        await jobs.matching(databases, parse_id(str(ids[0])[:6]))
    assert str(error.value).splitlines()[1:] == [f"  {one}" for one in ids]


@pytest.mark.parametrize("name", SERVICES)
async def test_jobs_of_every_service_are_canceled_and_retried_through_its_stage(
    database_for: DatabaseFor, name: str
) -> None:
    """A second cancel or retry is unchanged. A job in another state is refused and stays as it is."""
    dsn = await database_for(name, migration_of(name))
    databases = {name: dsn}

    async def found(job_id: UUID) -> jobs.FoundJob:
        one = await jobs.matching(databases, parse_id(str(job_id)))
        assert one is not None
        return one

    running, failed, done = await insert(dsn), await insert(dsn, "failed"), await insert(dsn, "done")
    assert isinstance(await jobs.cancel(databases, await found(failed)), Refused)
    assert isinstance(await jobs.cancel(databases, await found(running)), Decided)
    assert isinstance(await jobs.cancel(databases, await found(running)), Unchanged)
    assert isinstance(await jobs.retry(databases, await found(failed)), Decided)
    assert isinstance(await jobs.retry(databases, await found(failed)), Unchanged)
    assert isinstance(await jobs.retry(databases, await found(running)), Decided)
    assert isinstance(await jobs.retry(databases, await found(done)), Refused)
    for retried in ((await found(failed)).job, (await found(running)).job):
        assert (retried.state, retried.done, retried.failures, retried.finished_at) == (
            "running",
            10,
            0,
            None,
        )
    assert (await found(done)).job.state == "done"


def test_the_commands_change_jobs_and_report_each(databases: Mapping[str, str], folder: Path) -> None:
    """One line for each job. The exit code is 1 if one was refused; the others are changed all the same."""
    billing, provisioning = databases.values()
    running, failed = asyncio.run(insert(billing)), asyncio.run(insert(provisioning, "failed"))
    done = command(folder, "cancel", str(running), str(failed))
    assert done.exit_code == 1
    assert re.split(r" {2,}", done.stdout.splitlines()[0]) == [
        str(running),
        "billing",
        "canceled; 10 items were decided",
    ]
    assert "refused (job_finished)" in done.stdout.splitlines()[1]
    again = command(folder, "cancel", str(running))
    assert (again.exit_code, "nothing to do: it is canceled" in again.stdout) == (0, True)
    by = json.loads(command(folder, "show", str(running)).stdout)["changed_by"]
    assert by == f"user:{login()}"
    retried = command(folder, "retry", str(failed)[:-3])
    assert (retried.exit_code, "running again; 10 items" in retried.stdout) == (0, True)
    assert (asyncio.run(state_of(billing, running)), asyncio.run(state_of(provisioning, failed))) == (
        "canceled",
        "running",
    )


def test_no_job_is_changed_if_one_of_the_ids_is_unknown(databases: Mapping[str, str], folder: Path) -> None:
    """A typing error in a list of ids changes nothing."""
    running = asyncio.run(insert(databases["billing"]))
    done = command(folder, "cancel", str(running), "ffff")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("didflow: bad_input: There is no job ffff.")
    assert asyncio.run(state_of(databases["billing"], running)) == "running"


def test_programs_read_the_shape_of_http_with_the_service(databases: Mapping[str, str], folder: Path) -> None:
    """`list --json` has one line for each job, `show` also who owns it and where its error is."""
    job_id = asyncio.run(insert(databases["provisioning"], "failed"))
    asyncio.run(insert(databases["billing"]))
    (listed,) = objects(command(folder, "list", "--json", "--state", "failed"))
    assert listed == {
        "service": "provisioning",
        "job_id": str(job_id),
        "kind": "rebuild",
        "state": "failed",
        "total": 25,
        "done": 10,
        "refused": 0,
        "created_by": "user:ann",
        "created_at": "2026-10-01T00:00:00Z",
        "finished_at": "2026-10-01T00:00:00Z",
    }
    shown = json.loads(command(folder, "show", str(job_id)[:-2]).stdout)
    assert shown == listed | {
        "account": "master/acme",
        "failures": 5,
        "reference": "abc123",
        "changed_by": None,
    }
    assert [one["service"] for one in objects(command(folder, "list", "--service", "billing", "--json"))] == [
        "billing"
    ]


def test_results_are_listed_in_the_order_of_the_items(databases: Mapping[str, str], folder: Path) -> None:
    """`--outcome` narrows them. If `--limit` cuts the list, this is said on standard error."""
    job_id = asyncio.run(insert(databases["billing"], "done"))
    asyncio.run(add_results(databases["billing"], job_id, 6))
    everything = objects(command(folder, "results", str(job_id), "--json"))
    assert [one["item"] for one in everything] == [f"+44207946{n:04}" for n in range(1, 7)]
    refused = objects(command(folder, "results", str(job_id)[:-1], "--outcome", "refused", "--json"))
    assert refused == everything[1::2]
    assert refused[0] == {
        "item": "+442079460002",
        "outcome": "refused",
        "code": "not_found",
        "reference": None,
        "message": "No such number in your accounts.",
    }
    cut = command(folder, "results", str(job_id), "--limit", "4")
    assert (len(cut.stdout.splitlines()), "more than 4 results" in cut.stderr) == (5, True)
    whole = command(folder, "results", str(job_id), "--limit", "6")
    assert (len(whole.stdout.splitlines()), whole.stderr) == (7, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "--state", "finished"), "Use one of queued, running, done, canceled, failed."),
        (("list", "--kind", "rebuilt"), "Unknown kind 'rebuilt'. Use one of "),
        (("list", "--service", "bill"), "Unknown service 'bill'."),
        (("results", "ffff", "--outcome", "failed"), "Use one of done, unchanged, refused."),
        (("show", "ffff"), "There is no job ffff."),
        (("show", "xyz"), "'xyz' is not an id or the beginning of one."),
    ],
)
def test_a_filter_that_cannot_match_is_an_error(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    """One line with a stable code, and nothing on standard output."""
    done = command(folder, *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("didflow: bad_input: ")
    assert message in done.stderr


def test_an_empty_list_says_so(folder: Path) -> None:
    """For people. Programs get no line."""
    assert command(folder, "list").stdout == "no jobs\n"
    assert command(folder, "list", "--json").stdout == ""


def test_ids_are_whole_at_every_width(databases: Mapping[str, str], folder: Path) -> None:
    """In terminals of 60, 80 and 200 columns and in a pipe. No line is wider than its terminal: nothing wraps."""
    ids = [str(asyncio.run(insert(dsn, "failed"))) for dsn in databases.values()]
    asyncio.run(add_results(databases["billing"], UUID(ids[0]), 3))

    def seen(width: int, *arguments: str) -> str:
        words = [script("didflow"), "jobs", *arguments, "--data", str(folder)]
        kept = {name: value for name, value in os.environ.items() if name not in NO_ENVIRONMENT}
        lines = in_terminal(words, width=width, env=kept).lines
        assert all(len(re.sub("\x1b\\[\\d*m", "", line)) <= width for line in lines), lines
        return "\n".join(lines)

    for width in (60, 80, 200):
        shown = seen(width, "list")
        assert [shown.count(text) for text in (*ids, "rebuild", "failed", "user:ann")] == [1, 1, 2, 2, 2]
    refused = seen(60, "cancel", ids[0])
    assert [refused.count(text) for text in (ids[0], "job_finished")] == [1, 1]
    results = seen(60, "results", ids[0])
    assert [results.count(f"+44207946000{n}") for n in (1, 2, 3)] == [1, 1, 1]
    assert [command(folder, "list").stdout.count(one) for one in ids] == [1, 1]
