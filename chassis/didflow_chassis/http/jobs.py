"""The routes of jobs, which every service has: list, show, cancel, results.

A caller sees the jobs of its subtree whose kind its role may start. Any other job is like an absent one.
Source: spec http, Jobs; spec roles, "whoever may start that kind".
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from didflow_chassis import tables
from didflow_chassis.http.context import Http, HttpContext
from didflow_chassis.http.csv_export import CSV_ANSWER, csv_response
from didflow_chassis.http.job_responses import JobResponse, JobResultResponse
from didflow_chassis.http.lists import Page
from didflow_chassis.http.problems import invalid_input
from didflow_chassis.http.routes import Router
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import CancelJob, Job, JobState
from didflow_chassis.jobs.kinds import kept_from_role, kinds_of_role
from didflow_chassis.jobs.results import ItemOutcome
from didflow_chassis.service import Service
from didflow_chassis.tenancy import within
from didflow_contracts.roles import Action
from didflow_contracts.vocabulary import Name

CSV_COLUMNS: Final = tuple(JobResultResponse.model_fields)


class JobsQuery(BaseModel):
    """Filters of jobs. A job must satisfy all that are given."""

    kind: Name | None = Field(default=None, description="What the jobs do, such as `rebuild`.")
    state: JobState | None = Field(default=None, description="The state of the jobs.")


class ResultsQuery(BaseModel):
    """The filter of the results of a job."""

    outcome: ItemOutcome | None = Field(default=None, description="The outcome of the items.")


def jobs_router(service: Service) -> Router:
    """Return the routes of the jobs of a service. They are open to the roles that may start some kind."""
    router = Router(prefix=f"/v1/{service.name}", tags=["jobs"])
    actions = actions_of(service)
    router.get("/jobs", action=actions)(list_jobs)
    router.get("/jobs/{job_id}", action=actions)(show_job)
    router.post("/jobs/{job_id}/cancel", action=actions, response_model=JobResponse)(cancel_job)
    router.get("/jobs/{job_id}/results", action=actions)(list_results)
    router.get(
        "/jobs/{job_id}/results.csv", action=actions, response_class=StreamingResponse, responses=CSV_ANSWER
    )(export_results)
    return router


def actions_of(service: Service) -> tuple[Action, ...]:
    """Return the actions of the roles that may call the routes: those that start a kind of job, and `operate`."""
    return tuple(sorted({"operate", *(kind.action for kind in service.jobs.values())}))


async def list_jobs(http: Http, query: Annotated[JobsQuery, Query()]) -> Page:
    """List the jobs of your accounts that your role may start. The newest come first."""
    jobs = http.runtime.service.jobs
    if query.kind is not None and query.kind not in jobs:
        message = (
            f"Use one of these values: {', '.join(sorted(jobs))}." if jobs else "There are no jobs here."
        )
        raise invalid_input("kind", "not_allowed", message)
    statement = store.select_jobs(_is_seen_by(http), kind=query.kind, state=query.state)
    sort = {"created_at": tables.jobs.c.created_at}
    return await http.page(statement, sort=sort, default="-created_at", render=_job_json)


async def show_job(http: Http, job_id: UUID) -> JobResponse:
    """Return one job with its progress."""
    return JobResponse.of(await _find(http, job_id))


async def cancel_job(http: Http, job_id: UUID) -> Response:
    """Cancel a job. What was done stays done. 409 `job_finished` if there is nothing left to cancel.

    409 `job_completes_decision` if only an operator may cancel it, because its decision is in force already.
    """
    jobs, role = http.runtime.service.jobs, http.caller.role
    command = CancelJob(
        entity_id=job_id,
        subject="",
        caller=http.caller,
        kinds=kinds_of_role(jobs, role),
        kept=kept_from_role(jobs, role),
    )
    return await http.run(command, render=JobResponse.of)


async def list_results(http: Http, job_id: UUID, query: Annotated[ResultsQuery, Query()]) -> Page:
    """List the results of a job, in the order in which its items were decided."""
    await _find(http, job_id)
    number = tables.job_results.c.n
    statement = store.select_results(job_id, query.outcome)
    return await http.page(statement, sort={"n": number}, key=number, render=_result_json)


async def export_results(
    http: Http, job_id: UUID, query: Annotated[ResultsQuery, Query()]
) -> StreamingResponse:
    """Return the results of a job as CSV. A cell that a spreadsheet would take for a formula begins with `'`."""
    await _find(http, job_id)
    pages = store.pages_of_results(http.rows, job_id, query.outcome)
    return await csv_response(CSV_COLUMNS, pages, f"job-{job_id}.csv", render=dict)


async def _find(http: HttpContext, job_id: UUID) -> Job:
    rows = await http.rows(store.select_jobs(_is_seen_by(http), job_id=job_id))
    if not rows:
        raise http.problem(404, "not_found", "No such job in your accounts.")
    return store.to_job(rows[0])


def _is_seen_by(http: HttpContext) -> sa.ColumnElement[bool]:
    """Return the condition that the caller sees a job. The decision `cancel_job` has the same rule."""
    columns = tables.jobs.c
    kinds = kinds_of_role(http.runtime.service.jobs, http.caller.role)
    return sa.and_(within(columns.account, http.caller), columns.kind.in_(kinds))


def _job_json(row: Any) -> Mapping[str, Any]:
    return JobResponse.of(store.to_job(row)).model_dump(mode="json")


def _result_json(row: Any) -> Mapping[str, Any]:
    return JobResultResponse(**{name: row[name] for name in JobResultResponse.model_fields}).model_dump()
