"""The jobs of the toy service over HTTP: a route that starts the job `add`, and kinds that other roles may start."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import toy
import toy_jobs
from pydantic import BaseModel
from starlette.responses import Response
from toy_jobs import StartAdding

from didflow_chassis.decision import Decision, Refused, Unchanged
from didflow_chassis.http import Http, JobResponse, Router
from didflow_chassis.jobs.job import Job
from didflow_chassis.service import Handler
from didflow_chassis.testing import ServiceOnPostgres

ONCE = UUID("01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10")
"""The id of the job that is started only once."""

router = Router()


async def add_job(service: ServiceOnPostgres, kind: str, account: str, **columns: object) -> str:
    """Insert a job of an account and return its id."""
    values = {"kind": kind, "account": account, "role": "reseller", "created_by": "user:ann", **columns}
    values = {"job_id": uuid4(), "created_at": datetime(2026, 10, 1, tzinfo=UTC), "parameters": "{}"} | values
    names, places = ", ".join(values), ", ".join(f"${n}" for n, _ in enumerate(values, 1))
    await service.fetch(f"INSERT INTO jobs ({names}) VALUES ({places})", *values.values())
    return str(values["job_id"])


class Addition(BaseModel):
    """The body of the route."""

    amount: int
    once: bool = False


@router.post("/counters/add-to-all", action="edit", status_code=202, response_model=JobResponse)
async def add_to_all(http: Http, body: Addition) -> Response:
    """Add the amount to all counters. With `once`, the same job is found again."""
    job_id = ONCE if body.once else uuid4()
    command = StartAdding(entity_id=job_id, subject="", caller=http.caller, amount=body.amount)
    return await http.start_job(command)


def start(job: Job | None, command: StartAdding, now: object) -> Decision:
    """Start the job, unless it was started or the amount is not allowed."""
    if job is not None:
        return Unchanged(answer=job)
    if command.amount < 0:
        return Refused("amount_negative", "Use an amount of at least 0.")
    return toy_jobs.start_adding(None, command, now)


SERVICE = replace(
    toy.SERVICE,
    jobs={
        "add": toy_jobs.ADD,
        "review": toy_jobs.replaced(toy_jobs.ADD, action="decide_verifications"),
        "tidy": toy_jobs.replaced(toy_jobs.ADD, action="operate"),
    },
    commands={**toy.SERVICE.commands, StartAdding: Handler(decide=start, model=Job)},
    routers=lambda: [router],
)
