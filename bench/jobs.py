"""A job in each service with purchases beside it: canceled in the middle without faults, and done through all faults.

The time of a purchase is from its publishing to the answer of the service. It is measured without a job, half of it
before the jobs and half of it after them, then beside each job, with the same two workers. The database server is one
of its own, because it is restarted. The items, the faults and the checks are those of the fault test F39.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass

from faults.database_server import DatabaseServer, database_server
from faults.installation import ready
from faults.job_evidence import evidence_of, violations
from faults.job_faults import JobFaults
from faults.job_items import ITEMS
from faults.job_run import JobRun, StartedJob, alone, job_run
from harness.fault_journal import JOURNAL
from harness.processes import Processes
from harness.steady_purchases import at

from bench.machine import Machine
from bench.rounds import Tell
from didflow_chassis.jobs.job import JobState

WORKERS = 2
WARM_UP_S = 10
PATIENCE_S = 3_600.0
STILL_S = 4.0
"""A job that stands still for longer has a frozen runner. A chunk and its pause take less."""


@dataclass(frozen=True, kw_only=True)
class Survived:
    """The figures of one service.

    `quiet` is beside the job without faults, which was canceled after `canceled_after` items. `seconds`, `p95` and
    `worst` are those of the job with all faults, and `calm` is beside it while no fault lasted. `faults_s` is how long
    the faults lasted, until the purchases were answered. `purchases` were made beside the jobs. `repeats` are records
    that the relay published twice. `wrong` says what is wrong about an item. Latencies are in milliseconds.
    """

    service: str
    kind: str
    items: int
    seconds: float
    idle_p50: float
    idle_p95: float
    quiet_p50: float
    quiet_p95: float
    calm_p50: float
    calm_p95: float
    p95: float
    worst: float
    faults_s: float
    canceled_after: int
    purchases: int
    lost: int
    repeats: int
    wrong: tuple[str, ...]
    faults: str

    @property
    def numbers(self) -> dict[str, float]:
        """The figures that are numbers. `wrong` is how many things are wrong."""
        found = {name: value for name, value in asdict(self).items() if isinstance(value, int | float)}
        return found | {"wrong": len(self.wrong)}


async def measure(
    machine: Machine, *, services: Sequence[str], items: int, seed: int, idle_s: float, tell: Tell
) -> list[Survived]:
    """Run both jobs in one service after the other."""
    found = []
    for name in services:
        tell(f"{name}: a job of {items:,} items, seed {seed}")
        async with database_server(in_memory=False) as server, _run(machine, server, name, items) as run:
            found.append(await _survived(run, server, random.Random(seed), idle_s, tell))
        tell(f"{name}: {found[-1]}")
    return found


@asynccontextmanager
async def _run(machine: Machine, server: DatabaseServer, name: str, items: int) -> AsyncIterator[JobRun]:
    """Install one service with its items and two workers."""
    folder = machine.folder / f"jobs-{name}"
    folder.mkdir()
    launcher = Processes(folder=folder)
    async with AsyncExitStack() as exits:
        dsn = (await server.databases([name]))[name]
        installed = alone(name, kafka=machine.kafka, dsn=dsn, launcher=launcher, folder=folder)
        installation = await exits.enter_async_context(installed)
        run = await exits.enter_async_context(job_run(installation, ITEMS[name], items))
        exits.push_async_callback(launcher.kill)
        await ready(*(run.start_worker(index) for index in range(WORKERS)))
        yield run


async def _survived(
    run: JobRun, server: DatabaseServer, source: random.Random, idle_s: float, tell: Tell
) -> Survived:
    JOURNAL.forget()
    async with run.purchases.steady():
        await asyncio.sleep(WARM_UP_S)
    async with run.purchases.steady() as before:
        await asyncio.sleep(idle_s / 2)
    async with run.purchases.steady() as quiet:
        canceled = await run.start_job()
        seen = await run.progress(canceled.job_id, run.count // 2, within=PATIENCE_S)
        await run.cancel(canceled.job_id)
    wrong, repeats = await _wrong(run, canceled, "canceled")
    tell(
        f"canceled after {seen.processed:,} items; idle p95 {at(before, 0.95):.0f}, beside {at(quiet, 0.95):.0f} ms"
    )
    started = time.perf_counter()
    async with run.purchases.steady() as busy:
        job = await run.start_job()
        faults = JobFaults(jobs=[(run, job)], server=server, random_source=source, still_s=STILL_S)
        await faults.all_in_random_order(every=run.count // 8)
        await run.progress(job.job_id, run.count, within=PATIENCE_S)
        seconds = time.perf_counter() - started
    calm = run.purchases.latencies(started, faults.times)
    more, again = await _wrong(run, job, "done")
    run.restart_ended()
    async with run.purchases.steady() as after:
        await asyncio.sleep(idle_s / 2)
    idle = sorted(before + after)
    return Survived(
        service=run.items.service,
        kind=run.items.kind,
        items=run.count,
        seconds=seconds,
        idle_p50=at(idle, 0.5),
        idle_p95=at(idle, 0.95),
        quiet_p50=at(quiet, 0.5),
        quiet_p95=at(quiet, 0.95),
        calm_p50=at(calm, 0.5),
        calm_p95=at(calm, 0.95),
        p95=at(busy, 0.95),
        worst=at(busy, 1.0),
        faults_s=sum(end - began for began, end in faults.times),
        canceled_after=seen.processed,
        purchases=len(quiet) + len(busy),
        lost=len(run.purchases.lost),
        repeats=repeats + again,
        wrong=(*wrong, *more),
        faults=", ".join(
            f"{kind} {times}" for kind, times in Counter(f.kind for f in JOURNAL.faults).items()
        ),
    )


async def _wrong(run: JobRun, job: StartedJob, state: JobState) -> tuple[list[str], int]:
    """Return what is wrong about a job that must have ended in this state, and the number of repeated records."""
    evidence = await evidence_of(run, job)
    return list(violations(run, evidence, state=state)), evidence.repeats
