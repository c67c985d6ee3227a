"""Faults of the workers that run a job, and of their database. After each fault the job must go on by itself."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from faults.database_server import DatabaseServer
from faults.installation import ready
from faults.job_run import JobRun, StartedJob
from harness.fault_journal import JOURNAL

from didflow_chassis.jobs.job import UNFINISHED

PATIENCE_S = 3_600.0
CONTENDED = 2_000
"""The items on which another worker works at the same time."""


@dataclass(frozen=True, kw_only=True)
class JobFaults:
    """Injects faults into several services at the same time, each of which runs one job. They share a database server.

    Each fault begins while the jobs run, and ends when each of them has gone on. A job that stands still for longer
    than `still_s` has a frozen runner. `times` are the instants at which each fault began and was overcome: all workers
    are ready again, and all purchases are answered.
    """

    jobs: Sequence[tuple[JobRun, StartedJob]]
    server: DatabaseServer
    random_source: random.Random
    still_s: float = 1.0
    times: list[tuple[float, float]] = field(default_factory=list)

    async def all_in_random_order(self, *, every: int = 0) -> None:
        """Inject each fault once. With `every`, each one waits until so many more items are decided."""
        faults = [self.kill, self.freeze, self.stop_database, self.kill_database, self.kill_connections]
        if every:
            faults.append(self.contend)
        for number, fault in enumerate(self.random_source.sample(faults, len(faults)), 1):
            for run, job in self.jobs:
                await run.progress(job.job_id, number * every, within=PATIENCE_S)
                run.restart_ended()
            began = time.perf_counter()
            await fault()
            if every:
                await asyncio.gather(*(run.overcame() for run, _ in self.jobs))
                self.times.append((began, time.perf_counter()))

    async def kill(self) -> None:
        """Kill a worker of each service with SIGKILL, and start it again."""
        await asyncio.gather(*(self._kill(run, job) for run, job in self.jobs))

    async def freeze(self) -> None:
        """Freeze the worker that has the lease with SIGSTOP until another one goes on with the job. Wake it up."""
        await asyncio.gather(*(self._freeze(run, job) for run, job in self.jobs))

    async def contend(self) -> None:
        """Let another worker work on the same chunks at the same time: it has no leases."""
        await asyncio.gather(*(self._contend(run, job) for run, job in self.jobs))

    async def stop_database(self) -> None:
        """Stop the database server in order, and start it again."""
        async with self._all_go_on():
            await self.server.stop()
            await self.server.start()

    async def kill_database(self) -> None:
        """Kill the database server, and start it again."""
        async with self._all_go_on():
            await self.server.kill()
            await self.server.start()

    async def kill_connections(self) -> None:
        """End all sessions of the database."""
        async with self._all_go_on():
            await self.server.kill_connections()

    async def _kill(self, run: JobRun, job: StartedJob) -> None:
        before = await _running(run, job)
        index = self.random_source.choice(sorted(run.workers))
        await run.workers[index].process.kill()
        run.workers[index] = run.workers[index].again()
        await run.progress(job.job_id, before + 1)

    async def _freeze(self, run: JobRun, job: StartedJob) -> None:
        """Freeze one worker after the other, each at a random instant, until the job stands still: it had the lease."""
        await ready(*run.workers.values())
        for index in itertools.cycle(run.workers):
            victim = run.workers[index].process
            await asyncio.sleep(self.random_source.random())
            victim.pause()
            before = await _running(run, job)
            stands_still = not await run.goes_on(job.job_id, before, within=self.still_s)
            if stands_still:
                await run.progress(job.job_id, before + 1)
            victim.resume()
            if stands_still:
                return

    async def _contend(self, run: JobRun, job: StartedJob) -> None:
        index, name = max(run.workers) + 1, run.items.service
        await run.start_worker(index, {"lease-s": 0}).ready()
        JOURNAL.begin("worker without leases", name)
        before = await _running(run, job)
        await run.progress(job.job_id, before + CONTENDED)
        await run.workers.pop(index).process.stop()
        JOURNAL.lift(name)

    @asynccontextmanager
    async def _all_go_on(self) -> AsyncIterator[None]:
        """Wait after the block until each job has gone on."""
        before = [await _running(run, job) for run, job in self.jobs]
        yield
        for (run, job), done in zip(self.jobs, before, strict=True):
            await run.progress(job.job_id, done + 1)


async def _running(run: JobRun, job: StartedJob) -> int:
    """Return how many items of a job are decided. The job must not be finished: a fault would miss it."""
    found = await run.job(job.job_id)
    assert found.state in UNFINISHED, f"the job of {run.items.service} is {found.state} before the fault"
    return found.processed
