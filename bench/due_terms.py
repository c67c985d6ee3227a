"""A month's end: many terms become due at once, while purchases come at a steady rate and one worker is killed.

The latency of a purchase is from its publishing to billing's `term.changed`. It is measured with nothing due, half of
it before the wave and half of it after, and during the wave, all with the same workers.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import orjson
from harness.due_terms import due_terms
from harness.steady_purchases import at, steady_purchases

from bench.databases import prepared
from bench.growth import Growth, worker
from bench.machine import Machine
from bench.purchases import new_purchases
from bench.rounds import Tell
from didflow.embedded.child import Child
from didflow.embedded.wait import until
from didflow_contracts.events import TermChanged

WORKERS = (1, 2, 4)
WARM_UP_S = 10
PATIENCE_S = 1_800.0
SLOWEST_PER_S = 100
"""A wave that is slower than this fails."""


@dataclass(frozen=True, kw_only=True)
class Wave:
    """The figures of one wave.

    `terms` were due. `seconds` is from the first due term to the last published event. `repeats` are records that the
    relay published twice. `wrong` are due terms that were not renewed exactly once, in the ledger or on the topic.
    `lost` are purchases without a `term.changed`, `doubled` those that were charged more than once. Latencies are in
    milliseconds.
    """

    workers: int
    terms: int
    seconds: float
    idle_p50: float
    idle_p95: float
    p50: float
    p95: float
    worst: float
    purchases: int
    wrong: int
    repeats: int
    lost: int
    doubled: int


@dataclass(kw_only=True)
class Renewed:
    """The events about due terms: the id of the first one by number, and the numbers that have more than one.

    `repeats` are events that came twice. There may be a million numbers, so an id is kept as 16 bytes.
    """

    ids: dict[int, bytes] = field(default_factory=dict)
    more: set[int] = field(default_factory=set)
    repeats: int = 0

    @property
    def once(self) -> int:
        """How many numbers have exactly one event."""
        return len(self.ids) - len(self.more)

    def note(self, number: str, value: bytes) -> None:
        """Note an event about a number that was not purchased during the measurement."""
        key, event_id = int(number), UUID(orjson.loads(value)["id"]).bytes
        if key not in self.ids:
            self.ids[key] = event_id
        elif self.ids[key] == event_id:
            self.repeats += 1
        else:
            self.more.add(key)


async def measure(machine: Machine, *, terms: int, idle_s: float, tell: Tell) -> list[Wave]:
    """Run one wave for each number of workers."""
    waves = []
    for workers in WORKERS:
        waves.append(await wave(machine, workers, terms, idle_s=idle_s))
        tell(f"{workers} workers: {waves[-1]}")
    return waves


async def wave(
    machine: Machine, workers: int, terms: int, *, idle_s: float, within: timedelta | None = None
) -> Wave:
    """Run one wave. The instants at which the terms are due are spread over the time `within`, if it is given.

    The clock is then advanced to the end of this time, so that all of them are due at once.
    """
    apart = within / terms if within else timedelta(milliseconds=1)
    patience_s = max(PATIENCE_S, terms / SLOWEST_PER_S)
    growing = Growth(machine=machine, prefix=f"timers{workers}.")
    await growing.ready()
    async with AsyncExitStack() as exits:
        dsn = await exits.enter_async_context(machine.database("billing", prepared("billing")))
        due = await due_terms(dsn, terms, apart=apart)
        exits.push_async_callback(due.connection.close)
        await machine.settle()
        running = [await _start(exits, growing, dsn, n) for n in range(workers)]
        renewed = Renewed()
        purchases = await exits.enter_async_context(
            steady_purchases(
                machine.kafka, growing.prefix, TermChanged.topic, new_purchases(), hear=renewed.note
            )
        )
        async with purchases.steady():
            await asyncio.sleep(WARM_UP_S)
        async with purchases.steady() as before:
            await asyncio.sleep(idle_s / 2)
        started = time.perf_counter()
        async with purchases.steady() as busy:
            await due.make_due()
            await until(lambda: len(renewed.ids) > terms / 2, within=patience_s, what="half of the wave")
            await running[0].kill()
            running[0] = await _start(exits, growing, dsn, 0)
            await until(lambda: len(renewed.ids) >= terms, within=patience_s, what="the events of all terms")
            await until(due.is_over, within=PATIENCE_S, what="the end of the wave")
            seconds = time.perf_counter() - started
        async with purchases.steady() as after:
            await asyncio.sleep(idle_s / 2)
        idle, found, charged = sorted(before + after), await due.renewals(), await due.first_periods()
        return Wave(
            workers=workers,
            terms=terms,
            seconds=seconds,
            idle_p50=at(idle, 0.5),
            idle_p95=at(idle, 0.95),
            p50=at(busy, 0.5),
            p95=at(busy, 0.95),
            worst=busy[-1],
            purchases=len(busy),
            wrong=terms - min(found.terms, renewed.once) + found.entries - found.terms,
            repeats=renewed.repeats,
            lost=len(purchases.lost),
            doubled=charged.entries - charged.terms,
        )


async def _start(exits: AsyncExitStack, growing: Growth, dsn: str, number: int) -> Child:
    return await exits.enter_async_context(worker(growing, dsn, number, MEMBER_ID=f"billing-{number}"))
