"""Memory of a worker while it processes a million purchases. Nothing of a batch may stay after the batch.

A hundred thousand purchases are published while the worker takes the hundred thousand before them.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import psutil

from bench.databases import prepared
from bench.growth import TAKEN, Growth, worker
from bench.machine import Machine
from bench.purchases import numbers, publish
from bench.rounds import Tell

PIECE = 100_000
LOOK_S = 0.2
MB = 2**20


@dataclass(frozen=True, kw_only=True)
class PeakMemory:
    """The highest resident memory in MB: after the first hundred thousand, and over all later ones."""

    first: float
    later: float


async def measure(machine: Machine, *, pieces: int, tell: Tell) -> PeakMemory:
    """Run one worker that takes this many pieces."""
    growing = Growth(machine=machine, prefix="memory.")
    await growing.ready()
    indices = numbers(PIECE * pieces)
    async with (
        machine.database("billing", prepared("billing")) as dsn,
        worker(growing, dsn, 0) as child,
    ):
        connection = await asyncpg.connect(dsn)
        process = psutil.Process(child.pid)
        highest = []
        await publish(machine.kafka, growing.prefix, _piece(indices))
        for number in range(1, pieces + 1):
            ahead = asyncio.create_task(
                publish(machine.kafka, growing.prefix, _piece(indices) if number < pieces else iter(()))
            )
            highest.append(await _peak(connection, process, number * PIECE))
            await ahead
            tell(f"{number * PIECE:,} taken, {highest[-1]:.0f} MB")
        await connection.close()
    return PeakMemory(first=highest[0], later=max(highest[1:], default=highest[0]))


def _piece(indices: Iterator[int]) -> Iterator[int]:
    return (next(indices) for _ in range(PIECE))


async def _peak(connection: asyncpg.Connection, process: psutil.Process, until: int) -> float:
    """Watch a worker until it has taken this many messages. Return its highest memory."""
    peak = 0.0
    while await connection.fetchval(TAKEN) < until:
        peak = max(peak, process.memory_info().rss / MB)
        await asyncio.sleep(LOOK_S)
    return peak
