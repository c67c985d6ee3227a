"""Jobs over HTTP, on PostgreSQL: who sees them, their pages, their end and their results."""

import asyncio
import csv
import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import toy
import toy_jobs_api
from harness.fixtures import OnPostgres
from toy_jobs_api import add_job
from toy_messages import opened
from toy_records import record

from didflow_chassis.database import Outage
from didflow_chassis.http.csv_export import cell
from didflow_chassis.jobs import store
from didflow_chassis.testing import ServiceOnPostgres

JOBS = "/v1/counting/jobs"
START = datetime(2026, 10, 1, tzinfo=UTC)
ACME = "master/acme"

HEADER = "item,outcome,code,message,reference\r\n"
DONE, REFUSED = "+44207946000001,done,,,\r\n", "+44207946000010,refused,over_limit,Too many.,\r\n"
"""Lines of the CSV of `add_results`."""

OWNERS = ("master", ACME, "master/acme/shop", "master/other", "master/acme-2")
ALL = frozenset((kind, account) for kind in ("add", "review", "tidy") for account in ("", *OWNERS))


def of(kind: str, *accounts: str) -> frozenset[tuple[str, str]]:
    """Return the jobs of one kind of these accounts."""
    return frozenset((kind, account) for account in accounts)


CALLERS = {
    "the owner": (ACME, "reseller", of("add", ACME, "master/acme/shop")),
    "the parent": ("master", "master_reseller", of("add", *OWNERS)),
    "a child": ("master/acme/shop", "enterprise_admin", of("add", "master/acme/shop")),
    "a sibling": ("master/other", "reseller", of("add", "master/other")),
    "an account with a similar name": ("master/acme-2", "reseller", of("add", "master/acme-2")),
    "a service": (ACME, "service", of("add", ACME, "master/acme/shop")),
    "a reviewer": (ACME, "reviewer", of("review", ACME, "master/acme/shop")),
    "an operator": (
        ACME,
        "operator",
        of("add", "", *OWNERS) | of("tidy", "", *OWNERS) | of("review", "", *OWNERS),
    ),
}


@pytest.fixture
async def service(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """The toy service with three kinds of jobs. Reviewers may start `review`, operators `tidy`."""
    return await on_postgres(toy_jobs_api.SERVICE, prepare=toy.prepare)


async def walk(client: httpx.AsyncClient, path: str, between: Any = None, **query: Any) -> list[Any]:
    """Read all pages. `between` is awaited after each page."""
    items: list[Any] = []
    while True:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            return items
        query["cursor"] = answer.json()["next"]
        if between is not None:
            await between()


@pytest.mark.parametrize("who", CALLERS)
async def test_a_caller_sees_the_jobs_of_its_accounts_that_its_role_may_start(
    service: ServiceOnPostgres, who: str
) -> None:
    """List, show, results and cancel agree. Any other job is answered exactly like an absent one, and stays."""
    account, role, seen = CALLERS[who]
    ids = {job: await add_job(service, *job) for job in sorted(ALL)}
    client = service.client(account, role)
    listed = {job["job_id"] for job in await walk(client, JOBS, limit=2)}
    assert listed == {ids[job] for job in seen}
    for job, job_id in ids.items():
        routes = [("GET", ""), ("GET", "/results"), ("GET", "/results.csv"), ("POST", "/cancel")]
        for method, path in routes:
            answer = await client.request(method, f"{JOBS}/{job_id}{path}")
            absent = await client.request(method, f"{JOBS}/{uuid4()}{path}")
            assert absent.status_code == 404
            assert answer.status_code == (200 if job in seen else 404), (job, path)
            assert (answer.content == absent.content) is (job not in seen), (job, path)
    canceled = await service.fetch("SELECT kind, account FROM jobs WHERE state = 'canceled'")
    assert {tuple(row) for row in canceled} == seen


async def test_a_role_that_may_start_no_kind_is_refused(service: ServiceOnPostgres) -> None:
    """403 `role_not_allowed`, with the roles that may."""
    answer = await service.client(ACME, "user").get(JOBS)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert "enterprise_admin" in answer.json()["detail"]


async def test_filters_combine_and_wrong_values_are_refused(service: ServiceOnPostgres) -> None:
    """A typing error in a filter, or in its value, never lists everything."""
    wanted = await add_job(service, "tidy", "", state="failed")
    await add_job(service, "tidy", "")
    await add_job(service, "add", "", state="failed")
    client = service.client()
    assert [job["job_id"] for job in await walk(client, JOBS, kind="tidy", state="failed")] == [wanted]
    assert await walk(client, JOBS, kind="review") == [], "a kind that the role may not start"
    for query, field, advice in (
        ({"stat": "failed"}, "stat", "Did you mean 'state'?"),
        ({"kind": "ad"}, "kind", "Use one of these values: add, review, tidy."),
        ({"state": "finished"}, "state", "'queued', 'running', 'done', 'canceled' or 'failed'"),
    ):
        answer = await client.get(JOBS, params=query)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (422, field)
        assert advice in error["message"]
    answer = await client.get(f"{JOBS}/{wanted}/results", params={"outcome": "failed"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "outcome")


async def test_the_newest_jobs_come_first_and_new_ones_move_no_job(service: ServiceOnPostgres) -> None:
    """Jobs that are started between two pages do not shift the pages. Equal instants are ordered too."""
    ids = [await add_job(service, "add", ACME, created_at=START + timedelta(hours=n // 2)) for n in range(9)]
    client = service.client()

    async def start_another() -> None:
        await add_job(service, "add", ACME, created_at=START + timedelta(days=1))

    listed = await walk(client, JOBS, start_another, limit=2)
    assert sorted(job["job_id"] for job in listed) == sorted(ids)
    assert [job["created_at"] for job in listed] == sorted((j["created_at"] for j in listed), reverse=True)
    oldest = await walk(client, JOBS, limit=4, sort="created_at")
    assert [job["job_id"] for job in oldest[:9]] == [job["job_id"] for job in reversed(listed)]


async def test_a_job_shows_its_progress(service: ServiceOnPostgres) -> None:
    """The shape is the same in the list, alone and after a cancel."""
    job_id = await add_job(
        service, "add", ACME, state="running", total=25, done=9, refused=1, position="10", failures=1
    )
    expected = {
        "job_id": job_id,
        "kind": "add",
        "state": "running",
        "total": 25,
        "done": 9,
        "refused": 1,
        "created_by": "user:ann",
        "created_at": "2026-10-01T00:00:00Z",
        "finished_at": None,
    }
    client = service.client(ACME, "reseller")
    assert (await client.get(f"{JOBS}/{job_id}")).json() == expected
    assert await walk(client, JOBS) == [expected]
    canceled = (await client.post(f"{JOBS}/{job_id}/cancel")).json()
    assert canceled == expected | {"state": "canceled", "finished_at": canceled["finished_at"]}
    assert canceled["finished_at"] is not None


async def test_a_cancel_is_repeated_and_a_finished_job_is_not_canceled(service: ServiceOnPostgres) -> None:
    """A repeat is 200, with a key or without one. 409 `job_finished` for a job that is done or has failed."""
    client = service.client()
    job_id = await add_job(service, "add", ACME)
    for headers in ({}, {}, {"Idempotency-Key": "k"}, {"Idempotency-Key": "k"}):
        answer = await client.post(f"{JOBS}/{job_id}/cancel", headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
    assert answer.headers["Idempotent-Replayed"] == "true"
    for state in ("done", "failed"):
        finished = await add_job(service, "add", ACME, state=state, finished_at=START)
        answer = await client.post(f"{JOBS}/{finished}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")


async def test_a_job_that_carries_out_a_decision_is_canceled_by_operators_only(
    service: ServiceOnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made the decision sees the job but cannot stop it. A job that ended is `job_finished` for everybody."""
    kind = replace(service.service.jobs["add"], completes_decision=True)
    monkeypatch.setitem(service.service.jobs, "add", kind)
    job_id = await add_job(service, "add", ACME)
    maker, operator = service.client(ACME, "reseller"), service.client(ACME, "operator")
    answer = await maker.post(f"{JOBS}/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_completes_decision")
    assert (await maker.get(f"{JOBS}/{job_id}")).json()["state"] == "queued"
    assert (await operator.post(f"{JOBS}/{job_id}/cancel")).json()["state"] == "canceled"
    done = await add_job(service, "add", ACME, state="done", finished_at=START)
    assert (await maker.post(f"{JOBS}/{done}/cancel")).json()["code"] == "job_finished"


async def add_results(service: ServiceOnPostgres, job_id: str, first: int, last: int) -> None:
    """Insert results of a job. Each tenth item was refused."""
    await service.fetch(
        "INSERT INTO job_results SELECT $1::uuid, n, '+44207946' || lpad(n::text, 6, '0'),"
        " CASE WHEN n % 10 = 0 THEN 'refused' ELSE 'done' END,"
        " CASE WHEN n % 10 = 0 THEN 'over_limit' END, CASE WHEN n % 10 = 0 THEN 'Too many.' END"
        " FROM generate_series($2::int, $3::int) n",
        job_id,
        first,
        last,
    )


async def test_results_come_in_the_order_of_the_items(service: ServiceOnPostgres) -> None:
    """Results that are added between two pages come later, and every result comes once."""
    job_id = await add_job(service, "add", ACME)
    await add_job(service, "add", ACME)
    await add_results(service, job_id, 1, 25)
    added = iter([(26, 50)])

    async def another_chunk() -> None:
        for first, last in added:
            await add_results(service, job_id, first, last)

    path = f"{JOBS}/{job_id}/results"
    found = await walk(service.client(), path, another_chunk, limit=7)
    assert [result["item"] for result in found] == [f"+44207946{n:06}" for n in range(1, 51)]
    assert found[9] == {
        "item": "+44207946000010",
        "outcome": "refused",
        "code": "over_limit",
        "message": "Too many.",
        "reference": None,
    }
    refused = await walk(service.client(), path, outcome="refused", limit=2)
    assert refused == [result for result in found if result["outcome"] == "refused"]
    assert len(refused) == 5


async def test_the_results_of_a_real_job_are_listed(service: ServiceOnPostgres) -> None:
    """What the runner stores is what the route shows, and the counts agree."""
    client = service.client()
    await service.stage.records([record(opened(n), f"o{n}") for n in range(3)])
    answer = await client.post("/v1/counters/add-to-all", json={"amount": toy.POISONED})
    await service.run_jobs()
    job = (await client.get(answer.headers["Location"])).json()
    results = await walk(client, f"{answer.headers['Location']}/results")
    assert (job["state"], job["total"], job["refused"], len(results)) == ("done", 3, 3, 3)
    assert {result["code"] for result in results} == {"internal_error"}
    assert all(result["reference"] for result in results)


async def test_the_csv_has_the_columns_and_rows_of_the_list(service: ServiceOnPostgres) -> None:
    """Numbers keep their plus sign and leading zeros. The filter is that of the list."""
    job_id = await add_job(service, "add", ACME)
    await add_results(service, job_id, 1, 20)
    path = f"{JOBS}/{job_id}/results"
    answer = await service.client().get(f"{path}.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="job-{job_id}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    listed = await walk(service.client(), path)
    assert rows == [{name: value or "" for name, value in result.items()} for result in listed]
    refused = await service.client().get(f"{path}.csv", params={"outcome": "refused"})
    assert len(refused.text.splitlines()) == 3
    empty = await service.client().get(f"{path}.csv", params={"outcome": "unchanged"})
    assert empty.text == HEADER


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+442079460018", "+442079460018"),
        ("00123", "00123"),
        ("plain", "plain"),
        ("", ""),
        (None, ""),
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\r", "'\r"),
        ("＝1", "'＝1"),  # noqa: RUF001
    ],
)
def test_a_cell_is_never_a_formula(value: str | None, shown: str) -> None:
    """Spreadsheets run cells that begin with these characters."""
    assert cell(value) == shown


async def test_texts_of_callers_are_no_formulas_in_the_csv(service: ServiceOnPostgres) -> None:
    """Also with quotes and line breaks in them, which do not begin a new cell."""
    job_id = await add_job(service, "add", ACME)
    text = '=HYPERLINK("http://x";"y")\n=1'
    await service.fetch("INSERT INTO job_results VALUES ($1::uuid, 1, $2, 'refused', 'c', $2)", job_id, text)
    answer = await service.client().get(f"{JOBS}/{job_id}/results.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["item"], row["message"]) == (f"'{text}", f"'{text}")


async def test_a_hundred_thousand_results_are_streamed_in_flat_memory(service: ServiceOnPostgres) -> None:
    """A page is sent before the next one is read, so the memory does not depend on the length of the file."""
    short, long = [await add_job(service, "add", ACME) for _ in range(2)]
    await add_results(service, short, 1, 5_000)
    await add_results(service, long, 1, 100_000)
    await stream(service, short)
    peaks = []
    for job_id, pages in ((short, 5), (long, 100)):
        tracemalloc.start()
        sizes = await stream(service, job_id)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(sizes) == pages
        assert sum(sizes) == len(HEADER) + pages * (900 * len(DONE) + 100 * len(REFUSED))
    assert peaks[1] < 2 * peaks[0], "twenty times as many rows"


async def test_an_outage_before_the_first_page_is_a_problem(
    service: ServiceOnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and no half of a file."""
    job_id = await add_job(service, "add", ACME)
    await add_results(service, job_id, 1, 10)

    def broken(*_: object) -> None:
        raise Outage("away")

    monkeypatch.setattr(store, "select_results", broken)
    answer = await service.client().get(f"{JOBS}/{job_id}/results.csv")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_an_outage_between_two_pages_breaks_the_file_off(
    service: ServiceOnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ends early must not look complete: the response is never finished."""
    job_id = await add_job(service, "add", ACME)
    await add_results(service, job_id, 1, 3_000)
    read, pages = service.reads.read, iter(range(10))

    async def read_once(statement: Any, caller: Any) -> list[Any]:
        if "FROM job_results" in str(statement) and next(pages) == 1:
            raise Outage("away")
        return await read(statement, caller)

    monkeypatch.setattr(service.reads, "read", read_once)
    sizes: list[int] = []
    with pytest.raises(Outage):
        await stream(service, job_id, sizes)
    assert len(sizes) == 1


async def stream(service: ServiceOnPostgres, job_id: str, sizes: list[int] | None = None) -> list[int]:
    """Request the CSV of a job. Return the size of each part that the application sends, and keep none of them."""
    found = [] if sizes is None else sizes

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nothing more to receive")

    async def send(message: Any) -> None:
        if message.get("body"):
            found.append(len(message["body"]))

    path = f"{JOBS}/{job_id}/results.csv"
    headers = [(b"authorization", b"Bearer ann:master:operator")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""}
    await service.application(scope | {"root_path": "", "http_version": "1.1"}, receive, send)
    return found
