"""Routes that start a job, on PostgreSQL: 202 with the job and its location, also for every repeat under the key."""

import asyncio

import pytest
import toy
import toy_jobs_api
from harness.fixtures import OnPostgres

from didflow_chassis.testing import ServiceOnPostgres

PATH = "/v1/counters/add-to-all"
KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
async def service(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """The toy service with the job `add`."""
    return await on_postgres(toy_jobs_api.SERVICE, prepare=toy.prepare)


async def test_a_started_job_is_answered_with_its_location(service: ServiceOnPostgres) -> None:
    """202, the job as it is stored, and the path at which it can be read."""
    answer = await service.client("master/acme", "reseller", "ann").post(PATH, json={"amount": 1})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/counting/jobs/{job['job_id']}"
    ((job_id, created_at),) = await service.fetch("SELECT job_id::text, created_at FROM jobs")
    assert job == {
        "job_id": job_id,
        "kind": "add",
        "state": "queued",
        "total": None,
        "done": 0,
        "refused": 0,
        "created_by": "user:ann",
        "created_at": created_at.isoformat().replace("+00:00", "Z"),
        "finished_at": None,
    }


async def test_a_repeat_under_the_key_gets_the_same_body_and_location(service: ServiceOnPostgres) -> None:
    """Ten calls at once start one job. A repeat after the end of the job still gets the first answer."""
    client = service.client()
    answers = await asyncio.gather(*(client.post(PATH, json={"amount": 1}, headers=KEY) for _ in range(10)))
    started = [answer for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert await service.count("jobs") == 1
    await service.run_jobs()
    repeat = await client.post(PATH, json={"amount": 1}, headers=KEY)
    assert repeat.headers["Idempotent-Replayed"] == "true"
    for answer in (*started, repeat):
        assert answer.status_code == 202
        assert answer.content == started[0].content
        assert answer.headers["Location"] == started[0].headers["Location"]


async def test_a_job_that_was_started_before_is_answered_as_it_is_now(service: ServiceOnPostgres) -> None:
    """A decision that is unchanged answers with the job, and no second job is started."""
    first = await service.client().post(PATH, json={"amount": 1, "once": True})
    await service.run_jobs()
    second = await service.client().post(PATH, json={"amount": 1, "once": True})
    assert (first.json()["state"], second.json()["state"]) == ("queued", "done")
    assert first.headers["Location"] == second.headers["Location"]
    assert second.status_code == 202
    assert await service.count("jobs") == 1


async def test_a_refused_start_is_a_problem_without_a_location(service: ServiceOnPostgres) -> None:
    """The refusal is stored under the key like any answer."""
    for _ in range(2):
        answer = await service.client().post(PATH, json={"amount": -1}, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "amount_negative")
        assert "Location" not in answer.headers
    assert await service.count("jobs") == 0


async def test_a_job_and_the_answer_to_its_start_are_one_transaction(
    service: ServiceOnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the answer cannot be stored, no job is started."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("answer")

    monkeypatch.setattr("didflow_chassis.stage.call.store", broken)
    answer = await service.client().post(PATH, json={"amount": 1}, headers=KEY)
    assert answer.status_code == 500
    assert await service.count("jobs") == 0


async def test_the_document_shows_the_job_and_its_location(service: ServiceOnPostgres) -> None:
    """A program that is made from the document finds the header and the shape of a job."""
    document = (await service.client().get("/openapi/counting.json")).json()
    accepted = document["paths"][PATH]["post"]["responses"]["202"]
    assert "Location" in accepted["headers"]
    assert accepted["content"]["application/json"]["schema"]["$ref"].endswith("/JobResponse")
