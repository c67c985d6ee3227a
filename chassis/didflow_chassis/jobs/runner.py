"""Runs the jobs of a service, chunk by chunk, in every worker.

A runner leases a job for one chunk and then gives it back, so that all accounts with unfinished jobs advance in turn,
and runners in several workers share them. A runner that dies or hangs loses its lease after ten seconds, and another
one goes on at the position of the job.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from didflow_chassis import failpoints
from didflow_chassis.database import BadStatement, Database, Outage
from didflow_chassis.internal_errors import log_internal_error
from didflow_chassis.jobs import store
from didflow_chassis.jobs.chunk import Chunk, JobMoved
from didflow_chassis.jobs.job import UNFINISHED, Job
from didflow_chassis.jobs.kinds import JobKind, JobTools
from didflow_chassis.jobs.results import ItemResult
from didflow_chassis.pacing import Pacing
from didflow_chassis.service import Service
from didflow_chassis.stage.messages import TooWide
from didflow_chassis.stage.stage import Stage
from didflow_chassis.telemetry.metrics import Metrics
from didflow_contracts.ids import uuid7

_LOG = logging.getLogger(__name__)


class JobRunner:
    """The runner of one process. `interval_s` is the pause while there is nothing to do."""

    def __init__(
        self,
        service: Service,
        stage: Stage,
        database: Database,
        pacing: Pacing,
        *,
        interval_s: float,
        metrics: Metrics | None = None,
    ) -> None:
        self._service = service
        self._stage = stage
        self._database = database
        self._pacing = pacing
        self._interval_s = interval_s
        self._metrics = metrics or Metrics()
        self._read_s = 0.0

    async def run(self, ready: asyncio.Event) -> None:
        """Run chunks until cancelled. The first one waits for `ready`. During an outage, try again later."""
        await ready.wait()
        while True:
            worked = False
            try:
                worked = await self.run_chunk()
            except Outage as outage:
                _LOG.warning("Jobs wait", extra={"error": str(outage)})
            await self._pause(worked)

    async def run_chunk(self, job_id: UUID | None = None) -> bool:
        """Run one chunk of the job whose turn it is, or of this job. Return False if there was nothing to do.

        The job is leased after the pause of background work, so that other workers have it meanwhile. Raises Outage.
        """
        await self._pacing.pause()
        lease = uuid7()
        job = await store.claim(self._database, lease, list(self._service.jobs), job_id)
        if job is None:
            return False
        try:
            async with self._leased(job, lease):
                await self._run_chunk(job)
        except JobMoved:
            _LOG.info("Another runner has done this chunk, or the job has ended", extra=_about(job))
        except Exception as error:
            if isinstance(error, Outage) and not isinstance(error, BadStatement):
                raise Outage(f"{job.kind} {job.job_id}: {error}") from error
            await self._fail(job, lease, error)
        return True

    async def finish(self, job_id: UUID, on_progress: Callable[[Job], None]) -> Job:
        """Run one job to its end, together with the workers. Call `on_progress` after each chunk. Return the job.

        Raises Outage.
        """
        while True:
            worked = await self.run_chunk(job_id)
            job = await store.find(self._database, job_id)
            if job is None:
                raise LookupError(f"there is no job {job_id}")
            on_progress(job)
            if job.state not in UNFINISHED:
                return job
            await self._pause(worked)

    async def _pause(self, worked: bool) -> None:
        """Pause after a chunk for as long as its items took to read and prepare. `Pacing` paces its transaction."""
        await asyncio.sleep(self._read_s if worked else self._interval_s)

    async def _run_chunk(self, job: Job) -> None:
        kind = self._service.jobs[job.kind]
        tools = self._tools(job, kind)
        if job.state == "queued":
            begun = await store.begin(self._database, job.job_id, await kind.count(tools))
            if begun is None:
                raise JobMoved
            job, tools = begun, self._tools(begun, kind)
        began = time.monotonic()
        items = await kind.page(tools, job.position, kind.chunk)
        await failpoints.hit("job.page")
        works = await kind.work(tools, items) if items else ()
        self._read_s = time.monotonic() - began
        chunk = Chunk(
            job=job,
            items=items,
            works=works,
            is_last=kind.is_last(items),
            lists_unchanged=kind.lists_unchanged,
        )
        chunk, results = await self._decide(chunk)
        self._count(job, results)
        await failpoints.hit("job.committed")
        await self._after(tools, kind, chunk, results)

    async def _after(
        self, tools: JobTools[Any], kind: JobKind[Any], chunk: Chunk, results: Sequence[ItemResult]
    ) -> None:
        """Call `after` of the kind. An error is only logged: the chunk is committed, and nothing is tried again."""
        if kind.after is None:
            return
        try:
            await kind.after(tools, chunk.items, [result.outcome for result in results])
        except Exception as error:
            if isinstance(error, Outage) and not isinstance(error, BadStatement):
                raise
            reference = log_internal_error(error)
            what = "A chunk was committed, but what follows it failed"
            _LOG.error(what, extra={**_about(tools.job), "reference": reference})

    async def _fail(self, job: Job, lease: UUID, error: Exception) -> None:
        """Count and log an error. After the last attempt the job is `failed` and waits for an operator."""
        reference = log_internal_error(error)
        state = await store.fail(self._database, job.job_id, lease, reference)
        if state == "failed":
            self._metrics.failed_jobs.labels(job.kind).inc()
        what = "A job failed" if state == "failed" else "A chunk failed and is tried again"
        _LOG.error(what, extra={**_about(job), "state": state, "reference": reference})

    def _count(self, job: Job, results: Sequence[ItemResult]) -> None:
        for outcome, items in Counter(result.outcome for result in results).items():
            self._metrics.job_items.labels(job.kind, outcome).inc(items)

    async def _decide(self, chunk: Chunk) -> tuple[Chunk, Sequence[ItemResult]]:
        """Decide the chunk, or as much of its first items as one transaction may lock. Return what was decided."""
        while True:
            try:
                async with self._pacing.turn():
                    return chunk, await self._stage.command(chunk.commands, chunk, is_batch=True)
            except TooWide:
                chunk = chunk.first_half()

    def _tools(self, job: Job, kind: JobKind[Any]) -> JobTools[Any]:
        parameters = store.parameters_of(job, kind.parameters)
        return JobTools(job=job, parameters=parameters, database=self._database, service=self._service)

    @asynccontextmanager
    async def _leased(self, job: Job, lease: UUID) -> AsyncIterator[None]:
        """Renew the lease of a job for the duration of the block."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(store.LEASE_S / 3)
                try:
                    await store.renew(self._database, job.job_id, lease)
                except Outage:
                    _LOG.info("The lease of a job cannot be renewed now", extra=_about(job))

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()


def _about(job: Job) -> dict[str, Any]:
    return {"job": str(job.job_id), "kind": job.kind}
