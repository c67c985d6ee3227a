"""The jobs of all services: lists, results, and what operators do with them.

The statements are those of the HTTP routes. A change is a command of the stage, as over HTTP: it takes the lock of the
job, so it comes between two chunks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from didflow.dead_letters import login, opened
from didflow.errors import Ambiguous
from didflow.id_prefix import IdPrefix
from didflow.services import service
from didflow_chassis import tables
from didflow_chassis.decision import OPERATOR, Caller, Command
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import CancelJob, Job, JobState, RetryJob
from didflow_chassis.jobs.results import ItemOutcome
from didflow_chassis.stage import CommandDecision, LocalCall, Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing

STATES: Final[tuple[JobState, ...]] = get_args(JobState)
OUTCOMES: Final[tuple[ItemOutcome, ...]] = get_args(ItemOutcome)
_MOST_MATCHES: Final = 100


@dataclass(frozen=True, kw_only=True)
class FoundJob:
    """A job and its service."""

    service: str
    job: Job


async def listed(
    databases: Mapping[str, str], *, kind: str | None, state: JobState | None, limit: int
) -> list[FoundJob]:
    """Return the jobs of these services, the newest first. Raises Outage."""
    columns = tables.jobs.c
    statement = store.select_jobs(kind=kind, state=state)
    newest = statement.order_by(columns.created_at.desc(), columns.job_id.desc()).limit(limit)
    found = await _fetched(databases, newest)
    return sorted(found, key=lambda one: (one.job.created_at, one.job.job_id), reverse=True)[:limit]


async def matching(databases: Mapping[str, str], prefix: IdPrefix) -> FoundJob | None:
    """Return the job whose id begins so, or None. Raises Ambiguous if there are several, Outage."""
    begins_so = tables.jobs.c.job_id.between(prefix.first, prefix.last)
    found = await _fetched(databases, store.select_jobs(begins_so).limit(_MOST_MATCHES))
    if len(found) > 1:
        raise Ambiguous(prefix.text, [str(one.job.job_id) for one in found])
    return found[0] if found else None


async def results(
    databases: Mapping[str, str], found: FoundJob, *, outcome: ItemOutcome | None, limit: int
) -> Sequence[Any]:
    """Return the first results of a job, in the order in which its items were decided. Raises Outage."""
    statement = store.select_results(found.job.job_id, outcome).order_by(tables.job_results.c.n).limit(limit)
    async with opened(databases[found.service]) as database:
        return await database.fetch(statement)


async def cancel(databases: Mapping[str, str], found: FoundJob) -> CommandDecision:
    """Cancel a job of any kind. Raises Outage."""
    kinds = frozenset({found.job.kind})
    command = CancelJob(entity_id=found.job.job_id, subject="", caller=_caller(), kinds=kinds)
    return await _decide(databases, found.service, command)


async def retry(databases: Mapping[str, str], found: FoundJob) -> CommandDecision:
    """Let a failed job go on at its position. Raises Outage."""
    command = RetryJob(entity_id=found.job.job_id, subject="", caller=_caller())
    return await _decide(databases, found.service, command)


def kinds(services: Sequence[str]) -> list[str]:
    """Return the kinds of jobs of these services."""
    return sorted({kind for name in services for kind in service(name).jobs})


async def _fetched(databases: Mapping[str, str], statement: Any) -> list[FoundJob]:
    found: list[FoundJob] = []
    for name, dsn in databases.items():
        async with opened(dsn) as database:
            rows = await database.fetch(statement)
        found += [FoundJob(service=name, job=store.to_job(row)) for row in rows]
    return found


def _caller() -> Caller:
    return Caller(subject=login(), account="", role=OPERATOR)


async def _decide(databases: Mapping[str, str], name: str, command: Command) -> CommandDecision:
    tracing = start_tracing(service=name, process="didflow", endpoint=None)
    async with opened(databases[name]) as database:
        stage = Stage(service(name), database, StageTelemetry(Metrics(), tracing))
        (decision,) = await stage.command([command], LocalCall(actor=command.caller.actor))
    return decision
