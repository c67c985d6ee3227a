"""A version of the catalogue with `reverify`: many approved DIDs are planned, warned and expired beside purchases.

The load is that of `didflow-verification catalogue load`. The time of a purchase is from its publishing to the
`did.status_changed` of inventory, which waits for the answer of verification. So it contains how long a purchase
waits behind the events of the wave in the partitions that both share.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
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
PATIENCE_S: Final = 14_400.0
MB: Final = 2**20
_DONE: Final = "SELECT state = 'done' FROM jobs WHERE kind = 'recheck_dids'"
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
    """One part of the measurement. Latencies are in milliseconds, memory in MB, `outbox` is the most rows in it."""

    name: str
    latencies: Sequence[float] = ()
    seconds: float = 0.0
    memory: float = 0.0
    outbox: int = 0

    def numbers(self) -> dict[str, float]:
        """Return the figures."""
        return {
            "seconds": round(self.seconds, 1),
            "p50": round(at(self.latencies, 0.5), 1),
            "p95": round(at(self.latencies, 0.95), 1),
            "worst": round(at(self.latencies, 1.0), 1),
            "memory_mb": round(self.memory),
            "outbox": self.outbox,
        }


@dataclass(kw_only=True)
class Reverified:
    """The figures of one change.

    `dry_run_s` and `load_s` contain the start of the command. `plan_s` is from the load to the end of its job.
    `planned` are the DIDs with a plan after the job. `wrong` are DIDs without exactly one warning and one end.
    `repeats` are records that the relay published twice. `lost` are purchases without an answer. `disk_mb` is the size
    of the table of registrations at the end.
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

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[None]:
        """Measure the block beside purchases."""
        phase = self.found.phases[name] = Phase(name=name)
        watching = asyncio.create_task(self._watch(phase))
        began = time.perf_counter()
        try:
            async with self.purchases.steady() as latencies:
                yield
                phase.seconds = time.perf_counter() - began
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        phase.latencies = latencies
        rate = f", {self.items / phase.seconds:,.0f} DIDs/s" if name != "idle" else ""
        self.tell(f"{name}: {phase.numbers()}{rate}")

    async def _watch(self, phase: Phase) -> None:
        processes = [psutil.Process(child.pid) for child in self.workers]
        while True:
            phase.memory = max(phase.memory, *(process.memory_info().rss / MB for process in processes))
            phase.outbox = max(phase.outbox, await self.verification.fetchval(_OUTBOX))
            await asyncio.sleep(LOOK_S)

    async def advance(self, days: int) -> None:
        """Advance the time of both services."""
        for connection in (self.inventory, self.verification):
            await connection.execute(ADVANCE, days)

    async def is_over(self, published: Published) -> bool:
        """Return True if nothing is due, and all events have come."""
        await asyncio.sleep(LOOK_S)
        return published.heard >= self.items and not await self.verification.fetchval(_LEFT)

    async def is_planned(self) -> bool:
        """Return True if the job has ended."""
        await asyncio.sleep(LOOK_S)
        return bool(await self.verification.fetchval(_DONE))


async def measure(machine: Machine, *, items: int, idle_s: float, tell: Tell) -> Reverified:
    """Change the requirement of this many approved DIDs."""
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
            **connections,
        )
        await _phases(run, growing, dsns["verification"], idle_s)
        return run.found


async def _phases(run: _Run, growing: Growth, dsn: str, idle_s: float) -> None:
    found, warnings, ends = run.found, *run.published
    async with run.purchases.steady():
        await asyncio.sleep(WARM_UP_S)
    async with run.phase("idle"):
        await asyncio.sleep(idle_s)
    file = str(reverifying_file(growing.machine.folder))
    async with run.phase("planning"):
        found.dry_run_s = await _command(growing, dsn, "load", "--dry-run", file)
        found.load_s = await _command(growing, dsn, "load", file)
        await until(run.is_planned, within=PATIENCE_S, what="the end of the job")
    found.plan_s = await run.verification.fetchval(_PLAN_S)
    found.planned = await run.verification.fetchval(_PLANNED)
    async with run.phase("warnings"):
        await run.advance(IN_DAYS - WARNED_BEFORE.days)
        await until(lambda: run.is_over(warnings), within=PATIENCE_S, what="the end of the warnings")
    run.tell(f"the next timer is due at {await run.verification.fetchval(DUE)}")
    async with run.phase("ends"):
        await run.advance(IN_DAYS)
        await until(lambda: run.is_over(ends), within=PATIENCE_S, what="the end of the approvals")
    found.wrong = sum(each.wrong + run.items - each.heard for each in run.published)
    found.repeats = sum(each.repeats for each in run.published)
    found.lost = len(run.purchases.lost)
    found.disk_mb = await run.verification.fetchval(_SIZE) / MB


async def _command(growing: Growth, dsn: str, *arguments: str) -> float:
    began = time.perf_counter()
    command = start(growing, dsn, "catalogue", "didflow-verification", "catalogue", *arguments)
    code = await command.ended(within=PATIENCE_S)
    if code:
        raise RuntimeError(command.log.read_text()[-2_000:])
    return time.perf_counter() - began
