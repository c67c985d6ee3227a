"""How cost grows with the number of rows, the size of a batch and the number of workers.

All runs use billing's worker with real purchases. Each run reads purchases that were published just before.
"""

import itertools
import os
import signal
import sysconfig
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from bench.databases import prepared
from bench.large_tables import GROUP, fill, make_group_due
from bench.machine import Machine
from bench.purchases import numbers, publish
from bench.rounds import Tell, Variant, interleaved
from bench.topics import create_bench_topics
from bench.variant import Run, Took, in_process
from didflow.embedded.child import Child
from didflow.embedded.ports import free_port
from didflow.embedded.wait import until

SMALL = 10_000
BATCHES: Mapping[int, int] = {1: 300, 10: 2_000, 100: 5_000, 500: 10_000, 2_000: 20_000}
"""Batch size -> the number of messages that is enough to measure its rate."""
WORKERS = (1, 2, 4)
READY_S = 60.0
TAKEN = "SELECT count(*) FROM inbox WHERE decision = 'decided'"
LEFT = "SELECT EXISTS (SELECT FROM outbox)"


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Gives every run its own new purchases."""

    machine: Machine
    prefix: str
    _firsts: Iterator[int] = field(default_factory=lambda: itertools.count(0, 100_000))

    async def ready(self) -> None:
        """Create the topics."""
        await create_bench_topics(self.machine.kafka, self.prefix)

    async def publish(self, messages: int) -> None:
        """Publish new purchases."""
        await publish(self.machine.kafka, self.prefix, numbers(messages, next(self._firsts)))

    async def run(self, dsn: str, messages: int, batch: int) -> Took:
        """Run one worker that takes new purchases into a database."""
        await self.publish(messages)
        return await self._in_worker("didflow_worker", dsn, messages, batch)

    async def run_due(self, dsn: str) -> Took:
        """Run one worker that renews the next group of due terms in a database."""
        await make_group_due(dsn)
        return await self._in_worker("due_worker", dsn, GROUP, 500)

    async def _in_worker(self, module: str, dsn: str, messages: int, batch: int) -> Took:
        await self.machine.settle()
        run = Run(
            kafka=self.machine.kafka,
            dsn=dsn,
            prefix=self.prefix,
            messages=messages,
            batch=batch,
        )
        return await in_process(module, run)

    def fresh(self, messages: int, batch: int, rows: int = 0) -> Variant:
        """Return the function that runs one worker on a new database with this many rows."""

        async def once() -> Took:
            async with self.machine.database("billing", prepared("billing")) as dsn:
                if rows:
                    await fill(dsn, rows)
                return await self.run(dsn, messages, batch)

        return once


async def by_rows(
    machine: Machine, *, rows: int, messages: int, rounds: int, tell: Tell
) -> dict[str, list[Took]]:
    """Compare tables of ten thousand rows with tables of `rows` rows, interleaved. The large ones are filled once."""
    small = Growth(machine=machine, prefix="small.")
    large = Growth(machine=machine, prefix="large.")
    await small.ready()
    await large.ready()
    async with machine.database("billing", prepared("billing")) as dsn:
        started = time.perf_counter()
        await fill(dsn, rows)
        tell(f"{rows:,} rows in terms and in inbox, made in {time.perf_counter() - started:.0f} s")

        async def on_large() -> Took:
            return await large.run(dsn, messages, 500)

        variants = {f"{SMALL:,} rows": small.fresh(messages, 500, SMALL), f"{rows:,} rows": on_large}
        return await interleaved(variants, rounds, tell)


async def of_due_terms(machine: Machine, *, rows: int, rounds: int, tell: Tell) -> dict[str, list[Took]]:
    """Compare due terms with as many purchases, interleaved, on the same tables of `rows` rows."""
    growing = Growth(machine=machine, prefix="clock.")
    await growing.ready()
    async with machine.database("billing", prepared("billing")) as dsn:
        await fill(dsn, rows)

        async def purchases() -> Took:
            return await growing.run(dsn, GROUP, 500)

        async def due_terms() -> Took:
            return await growing.run_due(dsn)

        return await interleaved({"purchases": purchases, "due terms": due_terms}, rounds, tell)


async def by_batch(machine: Machine, *, rounds: int, tell: Tell) -> dict[str, list[Took]]:
    """Compare batch sizes."""
    growing = Growth(machine=machine, prefix="batches.")
    await growing.ready()
    variants = {f"batch {size:,}": growing.fresh(messages, size) for size, messages in BATCHES.items()}
    return await interleaved(variants, rounds, tell)


async def by_workers(machine: Machine, *, messages: int, rounds: int, tell: Tell) -> dict[str, list[Took]]:
    """Compare numbers of workers in one group. Each worker is a process, as in production."""

    def variant(workers: int) -> Variant:
        growing = Growth(machine=machine, prefix=f"workers{workers}.")

        async def once() -> Took:
            await growing.ready()
            async with machine.database("billing", prepared("billing")) as dsn:
                return await _shared(growing, dsn, workers, messages)

        return once

    return await interleaved({f"{number} workers": variant(number) for number in WORKERS}, rounds, tell)


async def _shared(growing: Growth, dsn: str, workers: int, messages: int) -> Took:
    """Let workers join, stop them while purchases are published, and start all of them at once."""
    async with AsyncExitStack() as exits:
        connection = await asyncpg.connect(dsn)
        exits.push_async_callback(connection.close)
        children = [await exits.enter_async_context(worker(growing, dsn, n)) for n in range(workers)]
        for child in children:
            child.send(signal.SIGSTOP)
        await growing.publish(messages)
        started = time.perf_counter()
        for child in children:
            child.send(signal.SIGCONT)

        async def done() -> bool:
            taken = await connection.fetchval(TAKEN) >= messages
            return taken and not await connection.fetchval(LEFT)

        await until(done, within=READY_S * 2, what="the end of all purchases")
        return Took(messages=messages, seconds=time.perf_counter() - started)


@asynccontextmanager
async def worker(
    growing: Growth, dsn: str, number: int, *, service: str = "billing", **settings: str
) -> AsyncIterator[Child]:
    """Run a worker until the block ends. The block starts when the worker has its partitions.

    `settings` are more settings of the worker, without their prefix.
    """
    port = free_port()
    log = f"worker-{number}"
    child = start(growing, dsn, log, f"didflow-{service}", "worker", HEALTH_PORT=str(port), **settings)
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:

            async def ready() -> bool:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/healthz/ready")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, within=READY_S, what="start of a worker")
        yield child
    finally:
        await child.stop()


def start(growing: Growth, dsn: str, log: str, *command: str, **settings: str) -> Child:
    """Start a program of this installation with its settings."""
    told = {
        "KAFKA": growing.machine.kafka,
        "POSTGRES": dsn,
        "TOPIC_PREFIX": growing.prefix,
        "PRODUCTION": "false",
        **settings,
    }
    environment = {**os.environ, **{f"DIDFLOW_{name}": value for name, value in told.items()}}
    program = str(Path(sysconfig.get_path("scripts")) / command[0])
    return Child.start([program, *command[1:]], log=growing.machine.folder / f"{log}.log", env=environment)
