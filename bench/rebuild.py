"""A rebuild of My Numbers beside live traffic: a worker is killed in the middle, and the command goes on elsewhere.

The time of a purchase is from its publishing to inventory's `did.changed`. It is measured without a rebuild, then
beside it, with the same workers.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from harness.steady_purchases import at, steady_purchases

from bench.databases import prepared
from bench.growth import Growth, start, worker
from bench.machine import Machine
from bench.purchases import new_purchases
from bench.rounds import Tell
from bench.stale_dids import StaleDids, stale_dids
from didflow.embedded.wait import until
from didflow_contracts.events import DidChanged

WORKERS = 2
WARM_UP_S = 10
PATIENCE_S = 3_600.0
PROCESSED = "SELECT coalesce(max(done + refused), 0) FROM jobs WHERE kind = 'rebuild'"
STATE = "SELECT coalesce(max(state), 'none') FROM jobs WHERE kind = 'rebuild'"
LISTED = "SELECT count(*), count(DISTINCT item) FROM job_results WHERE outcome = 'done'"


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """The figures of one rebuild.

    `seconds` is from its start to its end. `stale` rows had a wrong listing before, `wrong` rows after it. `results` is
    the number of results, `items` that of the DIDs in them. `lost` are purchases without a `did.changed`. Latencies are
    in milliseconds.
    """

    rows: int
    seconds: float
    stale: int
    wrong: int
    results: int
    items: int
    idle_p95: float
    p50: float
    p95: float
    worst: float
    purchases: int
    lost: int


async def measure(machine: Machine, *, rows: int, idle_s: float, tell: Tell) -> Rebuilt:
    """Run one rebuild of this many rows."""
    growing = Growth(machine=machine, prefix="rebuild.")
    await growing.ready()
    async with AsyncExitStack() as exits:
        dsn = await exits.enter_async_context(machine.database("inventory", prepared("inventory")))
        dids = await stale_dids(dsn, rows)
        exits.push_async_callback(dids.connection.close)
        stale = await dids.wrong()
        tell(f"{stale:,} of {rows:,} rows have the listing of former rules")
        await machine.settle()
        running = [
            await exits.enter_async_context(worker(growing, dsn, n, service="inventory"))
            for n in range(WORKERS)
        ]
        purchases = await exits.enter_async_context(
            steady_purchases(machine.kafka, growing.prefix, DidChanged.topic, new_purchases())
        )
        async with purchases.steady():
            await asyncio.sleep(WARM_UP_S)
        async with purchases.steady() as idle:
            await asyncio.sleep(idle_s)
        tell(f"idle: p50 {at(idle, 0.5):.0f} ms, p95 {at(idle, 0.95):.0f} ms")
        started = time.perf_counter()
        async with purchases.steady() as busy:
            command = start(growing, dsn, "rebuild", "didflow-inventory", "rebuild")
            exits.push_async_callback(command.stop)
            await until(lambda: _processed(dids, rows * 0.2), within=PATIENCE_S, what="a fifth of the rows")
            await command.kill()
            tell("the command is killed; the workers go on")
            await until(
                lambda: _processed(dids, rows * 0.4), within=PATIENCE_S, what="two fifths of the rows"
            )
            await running[0].kill()
            tell("a worker is killed")
            await until(lambda: _is_over(dids), within=PATIENCE_S, what="the end of the rebuild")
            seconds = time.perf_counter() - started
        results, items = await dids.connection.fetchrow(LISTED)
        return Rebuilt(
            rows=rows,
            seconds=seconds,
            stale=stale,
            wrong=await dids.wrong(),
            results=results,
            items=items,
            idle_p95=at(idle, 0.95),
            p50=at(busy, 0.5),
            p95=at(busy, 0.95),
            worst=busy[-1],
            purchases=len(busy),
            lost=len(purchases.lost),
        )


async def _processed(dids: StaleDids, rows: float) -> bool:
    await asyncio.sleep(0.5)
    found: int = await dids.connection.fetchval(PROCESSED)
    return found >= rows


async def _is_over(dids: StaleDids) -> bool:
    await asyncio.sleep(0.5)
    is_done = await dids.connection.fetchval(STATE) == "done"
    return is_done and not await dids.connection.fetchval("SELECT count(*) FROM outbox")
