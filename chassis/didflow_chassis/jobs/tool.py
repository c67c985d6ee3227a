"""Starts a job from the command line of a service and runs it to its end, together with the workers.

If the command is stopped, the workers go on with the job. Without a worker, the job runs as long as few events wait in
the outbox (`pacing.MAX_OUTBOX`): only workers publish them.
"""

import asyncio
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from didflow_chassis.decision import OPERATOR, Caller, NewJob
from didflow_chassis.jobs.job import Job, StartJob
from didflow_chassis.jobs.results import ItemOutcome
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.jobs.store import pages_of_results
from didflow_chassis.pacing import Pacing
from didflow_chassis.processes import Process
from didflow_chassis.stage import LocalCall
from didflow_contracts.ids import uuid7
from didflow_contracts.terminal import say

INTERVAL_S = 0.5
PATIENCE_S = 15.0
WAITING = "No progress. A worker of the service must run: it publishes the events that wait in the outbox."
"""What is printed if nothing is decided for `PATIENCE_S`."""


async def start(process: Process, kind: str, parameters: Any) -> NewJob:
    """Start a job in the name of the service. Only operators see it. Raises Outage."""
    service = process.stage.service
    caller = Caller(subject=service.name, account="", role=OPERATOR, is_service=True)
    job = NewJob(
        job_id=uuid7(),
        kind=kind,
        created_by=caller.actor,
        created_at=await process.database.now(),
        parameters=parameters,
    )
    command = StartJob(entity_id=job.job_id, subject="", caller=caller, job=job)
    await process.stage.command([command], LocalCall(actor=caller.actor))
    return job


async def results(process: Process, job: Job, outcome: ItemOutcome) -> list[Any]:
    """Return the results of a job that have this outcome, in the order of its items. Raises Outage."""
    pages = pages_of_results(process.database.fetch, job.job_id, outcome)
    return [row async for page in pages for row in page]


def is_complete(job: Job) -> bool:
    """Return True if the job has done all of its work. If it was canceled or failed, say so."""
    if job.state != "done":
        say(f"The job {job.job_id} is {job.state}. Repeat the command to complete the work.", err=True)
    return job.state == "done" and not job.refused


async def run(process: Process, kind: str, parameters: Any) -> Job:
    """Start a job, run it to its end and return it. Its progress is shown on standard error. Raises Outage."""
    job = await start(process, kind, parameters)
    runner = JobRunner(
        process.stage.service,
        process.stage,
        process.database,
        Pacing(process.database),
        interval_s=INTERVAL_S,
    )
    columns = (kind.replace("_", " "), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        later = partial(asyncio.get_running_loop().call_later, PATIENCE_S, bar.console.print, WAITING)
        hint = later()

        def show(job: Job) -> None:
            nonlocal hint
            hint.cancel()
            hint = later()
            bar.update(task, total=job.total, completed=job.processed)

        try:
            return await runner.finish(job.job_id, show)
        finally:
            hint.cancel()
