"""One service under test with two workers, items for a job, and purchases at a steady rate beside it."""

import asyncio
import itertools
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from faults.example_events import ExampleDid
from faults.installation import Installation, Member, ready
from faults.job_items import IS_ITEM, OPERATOR, JobItems
from faults.job_kinds import KINDS
from faults.job_worker import with_test_kinds
from harness.processes import DeadlineMissedError, Processes, until
from harness.steady_purchases import Purchase, SteadyPurchases, steady_purchases
from harness.topics import create_topics, delete_topics

from didflow.issuer import Issuer
from didflow.servers import Servers
from didflow_chassis.database import Outage
from didflow_chassis.decision import Decision, NewJob
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import UNFINISHED, CancelJob, Job, StartJob
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.ids import uuid7
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS

POLL_S: Final = 0.05
_STATES: Final = "SELECT number, version, sequence FROM {table} WHERE " + IS_ITEM


@dataclass(frozen=True, kw_only=True)
class StartedJob:
    """A job, and what was stored about each item before it: the state's version and sequence, and the lines."""

    job_id: UUID
    states: Mapping[str, tuple[int, int]]
    lines: Mapping[str, int]


@dataclass(kw_only=True)
class JobRun:
    """One service. `service` is the same service in this process: it starts and cancels jobs, and reads tables."""

    items: JobItems
    count: int
    installation: Installation = field(repr=False)
    service: ServiceOnPostgres = field(repr=False)
    purchases: SteadyPurchases = field(repr=False)
    workers: dict[int, Member] = field(default_factory=dict, repr=False)

    def start_worker(self, index: int, options: Mapping[str, float] | None = None, **settings: str) -> Member:
        """Start a worker. With `options`, or if the kind of job is one for tests, it is `faults.job_worker`."""
        command = None
        if options or self.items.service in KINDS:
            given = [f"--{name}={value}" for name, value in (options or {}).items()]
            command = [sys.executable, "-m", "faults.job_worker", self.items.service, *given]
        worker = self.installation.worker(self.items.service, index, command=command, **settings)
        self.workers[index] = worker
        return worker

    def restart_ended(self) -> None:
        """Start the workers again that have ended because the database was down at their start, as a cluster does."""
        for index, worker in self.workers.items():
            if worker.process.exit_code is not None:
                assert worker.process.exit_code == os.EX_UNAVAILABLE, worker.process.log_tail()
                self.workers[index] = worker.again()

    async def overcame(self) -> None:
        """Wait until all workers are ready and all purchases up to now are answered."""
        self.restart_ended()
        await ready(*self.workers.values())
        before = set(self.purchases.sent)
        await until(lambda: not before & self.purchases.lost, within=60, what="answers to all purchases")

    async def start_job(self) -> StartedJob:
        """Start the job over all items."""
        parameters = await self.items.prepare(self.service)
        job = NewJob.of(
            OPERATOR,
            job_id=uuid7(),
            kind=self.items.kind,
            now=await self.service.now(),
            parameters=parameters,
        )
        started = StartedJob(job_id=job.job_id, states=await self.states(), lines=await self.lines())
        await self.service.run(StartJob(entity_id=job.job_id, subject="", caller=OPERATOR, job=job))
        return started

    async def cancel(self, job_id: UUID) -> Decision:
        """Cancel a job."""
        kinds = frozenset({self.items.kind})
        return await self.service.run(CancelJob(entity_id=job_id, subject="", caller=OPERATOR, kinds=kinds))

    async def job(self, job_id: UUID) -> Job:
        """Return a job as soon as the database answers."""

        async def found() -> Job | None:
            try:
                return await store.find(self.service.database, job_id)
            except Outage:
                return None

        return await until(found, within=60, what="a database that answers")

    async def progress(self, job_id: UUID, to: int, within: float = 600) -> Job:
        """Wait until so many items of a job are decided, or until it is finished."""
        seen = await self.job(job_id)

        async def has_come() -> bool:
            nonlocal seen
            await asyncio.sleep(POLL_S)
            seen = await self.job(job_id)
            return seen.processed >= to or seen.state not in UNFINISHED

        await until(has_come, within=within, what=f"{to} items of a job of {self.items.service}: {seen}")
        return seen

    async def goes_on(self, job_id: UUID, before: int, *, within: float) -> bool:
        """Return True as soon as more than `before` items of a job are decided, False if that takes longer."""

        async def has_moved() -> bool:
            job = await self.job(job_id)
            return job.processed > before or job.state not in UNFINISHED

        try:
            return await until(has_moved, within=within, what="the next chunk")
        except DeadlineMissedError:
            return False

    async def states(self) -> dict[str, tuple[int, int]]:
        """Return number -> version and sequence of the state of each item."""
        rows = await self.service.fetch(_STATES.format(table=self.items.main_table))
        return {row["number"]: (row["version"], row["sequence"]) for row in rows}

    async def lines(self) -> dict[str, int]:
        """Return number -> how many lines the jobs have added for this item."""
        rows = await self.service.fetch(self.items.lines) if self.items.lines else []
        return {row["number"]: row["lines"] for row in rows}


@asynccontextmanager
async def alone(
    name: str, *, kafka: str, dsn: str, launcher: Processes, folder: Path, partitions: int = 4
) -> AsyncIterator[Installation]:
    """Install one service with topics of its own, so that no other service receives the events of its job."""
    prefix = f"j{secrets.token_hex(4)}."
    topics = [prefix + topic for topic in (*topics_of(name), DEAD_LETTER_TOPICS[name])]
    await create_topics(kafka, topics, partitions=partitions)
    servers = Servers(
        kafka=kafka, postgres={name: dsn}, topic_prefix=prefix, embedded_kafka=False, embedded_postgres=False
    )
    issuer = Issuer.of(folder, "http://didflow.localhost/faults")
    try:
        yield Installation(parts=servers, issuer=issuer, jwks="", launcher=launcher)
    finally:
        await delete_topics(kafka, topics)


def topics_of(name: str) -> list[str]:
    """Return the topics that a service reads or writes."""
    return [topic.name for topic in TOPICS.values() if name in (*topic.producers, *topic.readers)]


@asynccontextmanager
async def job_run(installation: Installation, items: JobItems, count: int) -> AsyncIterator[JobRun]:
    """Write the items into the database of a service, and open the clients, for the duration of the block."""
    parts = installation.parts
    async with AsyncExitStack() as exits:
        service = await exits.enter_async_context(
            ServiceOnPostgres.open(
                with_test_kinds(items.service), parts.postgres[items.service], migrate=False
            )
        )
        await items.fill(service, count)
        purchases = steady_purchases(parts.kafka, parts.topic_prefix, items.answer, purchases_of(items))
        yield JobRun(
            items=items,
            count=count,
            installation=installation,
            service=service,
            purchases=await exits.enter_async_context(purchases),
        )


def purchases_of(items: JobItems) -> Iterator[Purchase]:
    """Yield purchases without end. Their numbers are lower than those of the items."""
    now = datetime.now(UTC)
    for n in itertools.count(2_000_000):
        yield items.purchase(ExampleDid(name=f"purchase {n}", number=f"{items.purchased}{n}", begin=now))
