"""A version of the catalogue with `reverify`: many approved DIDs are planned, warned and expired beside purchases.

Phases with and without background work alternate, so that a change of the machine's load shows in both.

The load is that of `didflow-verification catalogue load`. The time of a purchase is from its publishing to the
`did.status_changed` of inventory, which waits for the answer of verification. So it contains how long a purchase
waits behind the events of the wave in the partitions that both share.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import psutil
from faults.reverified_dids import ADVANCE, DUE, IN_DAYS, Published, fill, reverifying_file
from harness.postgres import owner_dsn_of
from harness.steady_purchases import SteadyPurchases, at, steady_purchases

from bench.databases import prepared
from bench.growth import Growth, start, worker
from bench.machine import Machine
from bench.purchases import new_purchases
from bench.rounds import Tell
from didflow.embedded.child import Child
from didflow.embedded.wait import until
from didflow_chassis.tables import NOW_SQL
from didflow_contracts.events import DidStatusChanged, VerificationExpired, VerificationExpiring
from didflow_verification.domain.registration.lapse import WARNED_BEFORE

WORKERS: Final = 2
WARM_UP_S: Final = 10
LOOK_S: Final = 0.5
LIMITED: Final = ("planning", "warnings", "ends")
"""The phases that a limit of time stops, in their order. Each has an equal part of what is left."""
_CANCEL: Final = "UPDATE jobs SET state = 'canceled', finished_at = now() WHERE state = 'running'"
_PLAN_REST: Final = """
UPDATE registrations r SET lapse = p.lapse, due_at = p.due_at, version = r.version + 1
FROM (SELECT lapse, due_at FROM registrations WHERE lapse IS NOT NULL LIMIT 1) AS p
WHERE r.did_id IN (SELECT did_id FROM registrations WHERE state = 'approved' AND lapse IS NULL LIMIT $1)
"""
"""The DIDs are copies, so their plans are equal. This writes what the job writes."""
_PLANNED_AT_ONCE: Final = 100_000
PATIENCE_S: Final = 36_000.0
MB: Final = 2**20
_DONE: Final = "SELECT done FROM jobs WHERE kind = 'recheck_dids' AND state = 'done'"
_PROCESSED: Final = "SELECT done FROM jobs WHERE kind = 'recheck_dids'"
_PLAN_S: Final = """
SELECT extract(epoch FROM finished_at - created_at)::float FROM jobs WHERE kind = 'recheck_dids'
"""
_PLANNED: Final = "SELECT count(*) FROM registrations WHERE lapse IS NOT NULL"
_LEFT: Final = (
    f"SELECT EXISTS (SELECT FROM registrations WHERE due_at <= {NOW_SQL}) OR EXISTS (SELECT FROM outbox)"  # noqa: S608
)
_OUTBOX: Final = "SELECT count(*) FROM (SELECT FROM outbox LIMIT 100000) AS rows"
_SIZE: Final = "SELECT pg_total_relation_size('registrations')"


@dataclass(kw_only=True)
class Phase:
    """One part of the measurement. Latencies are in milliseconds, memory in MB, `outbox` is the most rows in it.

    `dids` are the DIDs that were planned, warned or ended in it. `first_memory` is the memory after a tenth of them.
    `idle_p95` is the mean p95 of the phases without background work before and after it, and `ratio` is p95 to it.
    """

    name: str
    latencies: Sequence[float] = ()
    seconds: float = 0.0
    memory: float = 0.0
    first_memory: float = 0.0
    outbox: int = 0
    dids: int = 0
    idle_p95: float = 0.0

    @property
    def p95(self) -> float:
        """The time that 95 % of the purchases do not exceed."""
        return at(self.latencies, 0.95)

    def numbers(self) -> dict[str, float]:
        """Return the figures."""
        return {
            "seconds": round(self.seconds, 1),
            "p50": round(at(self.latencies, 0.5), 1),
            "p95": round(self.p95, 1),
            "worst": round(at(self.latencies, 1.0), 1),
            "memory_mb": round(self.memory),
            "outbox": self.outbox,
            "purchases": len(self.latencies),
            **self._of_dids(),
        }

    def _of_dids(self) -> dict[str, float]:
        if not self.dids:
            return {}
        return {
            "dids": self.dids,
            "dids_per_s": round(self.dids / self.seconds),
            "first_memory_mb": round(self.first_memory),
            "idle_p95": round(self.idle_p95, 1),
            "ratio": round(self.p95 / self.idle_p95, 2) if self.idle_p95 else 0.0,
        }


@dataclass(kw_only=True)
class Reverified:
    """The figures of one change.

    `dry_run_s` and `load_s` contain the start of the command. `plan_s` is from the load to the end of its job.
    `planned` are the DIDs with a plan after the job. `wrong` are DIDs without exactly one warning and one end. If the
    limit of time stopped a phase, only second events are counted. `repeats` are records that the relay published
    twice. `lost` are purchases without an answer. `disk_mb` is the size of the table of registrations at the end.
    """

    items: int
    dry_run_s: float = 0.0
    load_s: float = 0.0
    plan_s: float = 0.0
    planned: int = 0
    wrong: int = 0
    repeats: int = 0
    lost: int = 0
    disk_mb: float = 0.0
    phases: dict[str, Phase] = field(default_factory=dict)

    def numbers(self) -> dict[str, float]:
        """Return the figures without those of the phases."""
        names = ("items", "dry_run_s", "load_s", "plan_s", "planned", "wrong", "repeats", "lost", "disk_mb")
        return {name: round(getattr(self, name), 1) for name in names}


@dataclass(kw_only=True)
class _Run:
    items: int
    tell: Tell
    verification: Any
    inventory: Any
    purchases: SteadyPurchases
    published: Sequence[Published]
    workers: Sequence[Child]
    found: Reverified
    ends_at: float
    phase_ends_at: float = 0.0

    @asynccontextmanager
    async def phase(self, name: str, published: Published | None = None) -> AsyncIterator[None]:
        """Measure the block beside purchases.

        `published` are the events of the DIDs. Without it, the job plans them, or the phase has no background work.
        """
        phase = self.found.phases[name] = Phase(name=name)
        if name in LIMITED:
            began, after = time.perf_counter(), len(LIMITED) - LIMITED.index(name)
            self.phase_ends_at = began + (self.ends_at - began) / after

        async def dids() -> int:
            done = published.heard if published else await self.verification.fetchval(_PROCESSED)
            return int(done or 0)

        watching = asyncio.create_task(self._watch(phase, dids))
        began = time.perf_counter()
        try:
            async with self.purchases.steady() as latencies:
                yield
                phase.seconds = time.perf_counter() - began
                phase.dids = 0 if name.startswith("idle") else await dids()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        phase.latencies = latencies
        self.tell(f"{name}: {phase.numbers()}")

    async def _watch(self, phase: Phase, dids: Callable[[], Awaitable[int]]) -> None:
        processes = [psutil.Process(child.pid) for child in self.workers]
        told = 0
        while True:
            now = max(process.memory_info().rss / MB for process in processes)
            phase.memory = max(phase.memory, now)
            tenth = await dids() * 10 // self.items
            if tenth != told and not phase.name.startswith("idle"):
                told = tenth
                phase.first_memory = phase.first_memory or now
                self.tell(f"{phase.name}: {tenth * 10} %, {now:.0f} MB")
            phase.outbox = max(phase.outbox, await self.verification.fetchval(_OUTBOX))
            await asyncio.sleep(LOOK_S)

    async def advance(self, days: int) -> None:
        """Advance the time of both services."""
        for connection in (self.inventory, self.verification):
            await connection.execute(ADVANCE, days)

    async def is_over(self, published: Published) -> bool:
        """Return True if nothing is due and all events have come, or if the time is over."""
        await asyncio.sleep(LOOK_S)
        return self.is_late or (published.heard >= self.items and not await self.verification.fetchval(_LEFT))

    async def is_planned(self) -> bool:
        """Return True if the job has ended, or if the time is over."""
        await asyncio.sleep(LOOK_S)
        return self.is_late or await self.verification.fetchval(_DONE) is not None

    @property
    def is_late(self) -> bool:
        """True if the phase must stop."""
        return time.perf_counter() > self.phase_ends_at

    async def idle(self, name: str, seconds: float) -> None:
        """Measure purchases without background work."""
        async with self.phase(f"idle {name}"):
            await asyncio.sleep(seconds)

    async def idle_if_over(self, name: str, seconds: float) -> None:
        """The same, unless timers are still due because the time stopped the phase before."""
        if not self.is_late:
            await self.idle(name, seconds)

    async def plan_rest(self) -> None:
        """Cancel the job if it has not ended, and write the plans of the other DIDs as the job does."""
        await self.verification.execute(_CANCEL)
        while await self.verification.execute(_PLAN_REST, _PLANNED_AT_ONCE) != "UPDATE 0":
            pass
        await self.verification.execute("VACUUM ANALYZE registrations")


async def measure(machine: Machine, *, items: int, idle_s: float, tell: Tell, minutes: float) -> Reverified:
    """Change the requirement of this many approved DIDs. Phases that last too long for the minutes are stopped."""
    ends_at = time.perf_counter() + minutes * 60
    growing = Growth(machine=machine, prefix="reverify.")
    await growing.ready()
    async with AsyncExitStack() as exits:
        dsns, connections = {}, {}
        for name in ("verification", "inventory"):
            dsns[name] = await exits.enter_async_context(machine.database(name, prepared(name)))
            began = time.perf_counter()
            await fill(name, dsns[name], items)
            tell(f"{items:,} DIDs in {name}, made in {time.perf_counter() - began:.0f} s")
            connections[name] = await asyncpg.create_pool(owner_dsn_of(dsns[name]), min_size=1, max_size=3)
            exits.push_async_callback(connections[name].close)
        await machine.settle()
        workers = {
            name: [
                await exits.enter_async_context(
                    worker(growing, dsn, n, service=name, MEMBER_ID=f"{name}-{n}")
                )
                for n in range(WORKERS)
            ]
            for name, dsn in dsns.items()
        }
        published = [
            Published(count=items, topic=each.topic) for each in (VerificationExpiring, VerificationExpired)
        ]

        def hear(number: str, value: bytes) -> None:
            for each in published:
                each.note(number, value)

        answers = [DidStatusChanged.topic, *(each.topic for each in published)]
        purchases = await exits.enter_async_context(
            steady_purchases(machine.kafka, growing.prefix, answers, new_purchases(), hear=hear)
        )
        run = _Run(
            items=items,
            tell=tell,
            purchases=purchases,
            published=published,
            workers=workers["verification"],
            found=Reverified(items=items),
            ends_at=ends_at,
            **connections,
        )
        await _phases(run, growing, dsns["verification"], idle_s)
        return run.found


async def _phases(run: _Run, growing: Growth, dsn: str, idle_s: float) -> None:
    found, warnings, ends = run.found, *run.published
    async with run.purchases.steady():
        await asyncio.sleep(WARM_UP_S)
    await run.idle("before", idle_s)
    file = str(reverifying_file(growing.machine.folder))
    async with run.phase("planning"):
        found.dry_run_s = await _command(growing, dsn, "load", "--dry-run", file)
        found.load_s = await _command(growing, dsn, "load", file)
        await until(run.is_planned, within=PATIENCE_S, what="the end of the job")
    found.planned = await run.verification.fetchval(_PLANNED)
    if found.planned < run.items:
        await run.plan_rest()
        run.tell(f"{found.planned:,} DIDs are planned by the job, the others by a statement")
    found.plan_s = await run.verification.fetchval(_PLAN_S)
    await run.idle("after planning", idle_s)
    async with run.phase("warnings", warnings):
        await run.advance(IN_DAYS - WARNED_BEFORE.days)
        await until(lambda: run.is_over(warnings), within=PATIENCE_S, what="the end of the warnings")
    run.tell(f"the next timer is due at {await run.verification.fetchval(DUE)}")
    await run.idle_if_over("after warnings", idle_s)
    async with run.phase("ends", ends):
        await run.advance(IN_DAYS)
        await until(lambda: run.is_over(ends), within=PATIENCE_S, what="the end of the approvals")
    await run.idle_if_over("after ends", idle_s)
    _compare(found.phases)
    is_whole = time.perf_counter() < run.ends_at
    found.wrong = sum(each.wrong + (run.items - each.heard if is_whole else 0) for each in run.published)
    found.repeats = sum(each.repeats for each in run.published)
    found.lost = len(run.purchases.lost)
    found.disk_mb = await run.verification.fetchval(_SIZE) / MB


def _compare(phases: dict[str, Phase]) -> None:
    """Compare each phase with the nearest phases without background work: before it, and after it if one follows."""
    found = list(phases.values())
    for place, phase in enumerate(found):
        if phase.dids:
            before = next(each for each in reversed(found[:place]) if not each.dids)
            near = [before, *(each for each in found[place + 1 : place + 2] if not each.dids)]
            phase.idle_p95 = sum(each.p95 for each in near) / len(near)


async def _command(growing: Growth, dsn: str, *arguments: str) -> float:
    began = time.perf_counter()
    command = start(growing, dsn, "catalogue", "didflow-verification", "catalogue", *arguments)
    code = await command.ended(within=PATIENCE_S)
    if code:
        raise RuntimeError(command.log.read_text()[-2_000:])
    return time.perf_counter() - began
