"""`didflow jobs`: lists, shows, cancels and retries the jobs of all services, and lists their results."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from didflow.commands.options import Data, Json, OneService, Postgres, databases_of, run
from didflow.console import Screen
from didflow.errors import BadInput
from didflow.id_prefix import parse_id
from didflow.tables import Column

if TYPE_CHECKING:
    from didflow.jobs import FoundJob
    from didflow_chassis.jobs.job import Job
    from didflow_chassis.stage import CommandDecision

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(help="Jobs: work that is longer than one transaction.", no_args_is_help=True)

V = TypeVar("V", bound=str)

_ID_HELP = "as listed. The beginning of an id is enough if no other job has it."
Id = Annotated[str, typer.Argument(help=f"Id of a job, {_ID_HELP}")]
Ids = Annotated[list[str], typer.Argument(help=f"Ids of jobs, {_ID_HELP}")]
Kind = Annotated[str | None, typer.Option(help="Only jobs of this kind, such as rebuild.")]
State = Annotated[
    str | None, typer.Option(help="Only jobs in this state: queued, running, done, canceled or failed.")
]
Outcome = Annotated[
    str | None, typer.Option(help="Only items with this outcome: done, unchanged or refused.")
]
_JOBS = (
    Column(name="id"),
    Column(name="service"),
    Column(name="kind"),
    Column(name="state"),
    Column(name="done"),
    Column(name="refused"),
    Column(name="total"),
    Column(name="created at (UTC)"),
    Column(name="finished at (UTC)"),
    Column(name="created by", least=12),
)
_RESULTS = (
    Column(name="item"),
    Column(name="outcome"),
    Column(name="code"),
    Column(name="reference"),
    Column(name="message", least=20),
)
_OUTCOMES = (Column(name="id"), Column(name="service"), Column(name="outcome", least=40))


@app.command("list")
def list_jobs(
    *,
    service: OneService = None,
    kind: Kind = None,
    state: State = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """List jobs, the newest first."""
    found = run(_found(databases_of(data, postgres, service), kind, state, limit))
    screen = Screen()
    if json:
        for one in found:
            screen.json(_values(one))
    elif found:
        screen.table(_JOBS, map(_job_row, found))
    else:
        screen.line("no jobs")


@app.command()
def show(job_id: Id, service: OneService = None, data: Data = None, postgres: Postgres = None) -> None:
    """Print one job as JSON: also who canceled or retried it last, and the `reference` of its last error in the log."""
    found = run(_named(databases_of(data, postgres, service), job_id))
    job = found.job
    more = {name: getattr(job, name) for name in ("account", "failures", "reference", "changed_by")}
    Screen().json(_values(found) | more, indent=True)


@app.command()
def results(
    job_id: Id,
    *,
    outcome: Outcome = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 100,
    service: OneService = None,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """List the results of a job, in the order in which its items were decided."""
    rows = run(_results(databases_of(data, postgres, service), job_id, outcome, limit + 1))
    screen = Screen()
    shown = [{column.name: row[column.name] for column in _RESULTS} for row in rows[:limit]]
    if json:
        for values in shown:
            screen.json(values)
    elif shown:
        screen.table(_RESULTS, [tuple(value or "" for value in values.values()) for values in shown])
    else:
        screen.line("no results")
    if len(rows) > limit:
        Screen(stderr=True).line(f"didflow: warning: there are more than {limit} results. Use --limit.")


@app.command()
def cancel(ids: Ids, service: OneService = None, data: Data = None, postgres: Postgres = None) -> None:
    """Cancel jobs. What was done stays done. The exit code is 1 if a job has ended already."""
    from didflow import jobs

    _change(ids, databases_of(data, postgres, service), jobs.cancel, _canceled)


@app.command()
def retry(ids: Ids, service: OneService = None, data: Data = None, postgres: Postgres = None) -> None:
    """Let failed jobs go on where they were. The exit code is 1 if a job has not failed."""
    from didflow import jobs

    _change(ids, databases_of(data, postgres, service), jobs.retry, _retried)


Change = Callable[[Mapping[str, str], "FoundJob"], Awaitable["CommandDecision"]]


def _change(
    ids: Sequence[str], databases: Mapping[str, str], change: Change, describe: Callable[["Job"], str]
) -> None:
    from didflow_chassis.decision import Refused

    decided = run(_decided(ids, databases, change))
    rows = [(str(one.job.job_id), one.service, _outcome(decision, describe)) for one, decision in decided]
    Screen().table(_OUTCOMES, rows, header=False)
    if any(isinstance(decision, Refused) for _, decision in decided):
        raise typer.Exit(1)


async def _decided(
    ids: Sequence[str], databases: Mapping[str, str], change: Change
) -> "list[tuple[FoundJob, CommandDecision]]":
    """Change each job once. No job is changed unless all of them are found."""
    found = {one.job.job_id: one for one in [await _named(databases, given) for given in ids]}
    return [(one, await change(databases, one)) for one in found.values()]


def _outcome(decision: "CommandDecision", describe: "Callable[[Job], str]") -> str:
    from didflow_chassis.decision import Refused, Unchanged

    if isinstance(decision, Refused):
        return f"refused ({decision.code}): {decision.message}"
    if isinstance(decision, Unchanged):
        return f"nothing to do: it is {decision.answer.state}"
    return describe(decision.answer)


def _canceled(job: "Job") -> str:
    return f"canceled; {job.processed} items were decided"


def _retried(job: "Job") -> str:
    return f"{job.state} again; {job.processed} items were decided"


async def _found(
    databases: Mapping[str, str], kind: str | None, state: str | None, limit: int
) -> "list[FoundJob]":
    from didflow import jobs

    known = _one_of("state", state, jobs.STATES)
    found = await jobs.listed(databases, kind=kind, state=known, limit=limit)
    if kind is not None and not found:
        kinds = jobs.kinds(list(databases))  # slow: it imports the services
        if kind not in kinds:
            raise BadInput(f"Unknown kind {kind!r}. Use one of {', '.join(kinds)}.")
    return found


async def _named(databases: Mapping[str, str], given: str) -> "FoundJob":
    from didflow import jobs

    found = await jobs.matching(databases, parse_id(given))
    if found is None:
        raise BadInput(f"There is no job {given}.")
    return found


async def _results(
    databases: Mapping[str, str], given: str, outcome: str | None, limit: int
) -> Sequence[Any]:
    from didflow import jobs

    known = _one_of("outcome", outcome, jobs.OUTCOMES)
    return await jobs.results(databases, await _named(databases, given), outcome=known, limit=limit)


def _one_of(what: str, given: str | None, known: Sequence[V]) -> V | None:
    """Return the value if it is one of these. Raises BadInput."""
    for value in known:
        if value == given:
            return value
    if given is not None:
        raise BadInput(f"Unknown {what} {given!r}. Use one of {', '.join(known)}.")
    return None


def _values(found: "FoundJob") -> dict[str, Any]:
    from didflow_chassis.http.job_responses import JobResponse

    return {"service": found.service} | JobResponse.of(found.job).model_dump(mode="json")


def _job_row(found: "FoundJob") -> tuple[str, ...]:
    job = found.job
    counts = (str(job.done), str(job.refused), "?" if job.total is None else str(job.total))
    finished = f"{job.finished_at:%Y-%m-%d %H:%M:%S}" if job.finished_at else ""
    instants = (f"{job.created_at:%Y-%m-%d %H:%M:%S}", finished)
    return (str(job.job_id), found.service, job.kind, job.state, *counts, *instants, job.created_by)
