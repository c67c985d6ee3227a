"""Jobs of the toy service: they add an amount to counters of an account, through the stage and its handlers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import toy
from toy_messages import CALLER

from didflow_chassis.database import Database
from didflow_chassis.decision import Command, Decided, Decision, NewJob
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import Job
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.service import Handler
from didflow_chassis.stage import Answer, HttpCall, IdempotencyKey, Stage
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.testing.postgres import Unpaced
from didflow_contracts.ids import uuid7

_PAGE = """
SELECT did_id, number FROM counters WHERE $1::uuid IS NULL OR did_id > $1 ORDER BY did_id LIMIT $2
"""


@dataclass(frozen=True, kw_only=True)
class AddToAll:
    """Parameters of the job."""

    amount: int


@dataclass(frozen=True, kw_only=True)
class StartAdding(Command):
    amount: int


def start_adding(limit: toy.Limit | None, command: StartAdding, now: datetime) -> Decision:
    job = NewJob.of(
        command.caller,
        job_id=UUID(str(command.entity_id)),
        kind="add",
        now=now,
        parameters=AddToAll(amount=command.amount),
    )
    return Decided(also=(job,), answer=job)


async def count(tools: JobTools[AddToAll]) -> int:
    rows = await tools.database.fetch("SELECT count(*) FROM counters")
    return rows[0][0]


async def page(tools: JobTools[AddToAll], after: str | None, limit: int) -> Sequence[Item]:
    rows = await tools.database.fetch(_PAGE, after, limit)
    return [Item(row["number"], str(row["did_id"]), row["did_id"]) for row in rows]


async def work(tools: JobTools[AddToAll], items: Sequence[Item]) -> Sequence[Work]:
    amount = tools.parameters.amount
    return [
        toy.Add(entity_id=item.data, subject=item.name, caller=tools.caller, amount=amount) for item in items
    ]


ADD: JobKind[AddToAll] = JobKind(
    action="edit", parameters=AddToAll, count=count, page=page, work=work, chunk=10
)
START = Handler(decide=start_adding, model=toy.Limit)


def replaced(kind: JobKind[AddToAll], **changes: Any) -> JobKind[AddToAll]:
    return replace(kind, **changes)


def stage_like(stage: Stage, kind: JobKind[AddToAll] = ADD) -> Stage:
    """Return a stage of the toy service with the job `add`, on the same database."""
    commands = {**toy.SERVICE.commands, StartAdding: START}
    service = replace(toy.SERVICE, jobs={"add": kind}, commands=commands)
    return Stage(service, stage.database, stage._telemetry)


def runner(stage: Stage, database: Database, metrics: Metrics | None = None) -> JobRunner:
    return JobRunner(stage.service, stage, database, Unpaced(database), interval_s=0.01, metrics=metrics)


async def decision_on(stage: Stage, command: Command) -> object:
    """Run a command and return its decision."""
    found: list[object] = []

    def answer(decisions: object) -> Answer:
        found.extend(decisions)
        return Answer(status=200, body=b"")

    key = IdempotencyKey(account="", subject="", route="test", value=None, digest=b"")
    await stage.command([command], HttpCall(key=key, actor=command.caller.actor, answer=answer))
    return found[0]


async def start(stage: Stage) -> UUID:
    """Start the job `add`, which adds 1."""
    job_id = uuid7()
    await decision_on(stage, StartAdding(entity_id=str(job_id), subject="", caller=CALLER, amount=1))
    return job_id


async def job_of(database: Database, job_id: UUID) -> Job:
    """Return a job."""
    job = await store.find(database, job_id)
    assert job is not None
    return job
