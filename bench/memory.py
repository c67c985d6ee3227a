"""What a worker holds while a million purchases pass through it: nothing of a batch may outlive the batch.

A piece of a hundred thousand is published while the one before it is being taken, so that the worker never rests.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import psutil

from bench.databases import prepared
from bench.growth import TAKEN, Growing, worker
from bench.machine import Machine
from bench.purchases import numbers, publish
from bench.rounds import Tell

PIECE = 100_000
LOOK_S = 0.2
MB = 2**20


@dataclass(frozen=True, kw_only=True)
class Held:
    """Resident memory in MB, at its highest, after the first piece and over all that came later."""

    first: float
    later: float


async def measure(machine: Machine, *, pieces: int, tell: Tell) -> Held:
    """Let one worker take so many pieces."""
    growing = Growing(machine=machine, prefix="memory.")
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
    return Held(first=highest[0], later=max(highest[1:], default=highest[0]))


def _piece(indices: Iterator[int]) -> Iterator[int]:
    return (next(indices) for _ in range(PIECE))


async def _peak(connection: asyncpg.Connection, process: psutil.Process, until: int) -> float:
    """Watch a worker until it has taken so many; returns the most that it held."""
    peak = 0.0
    while await connection.fetchval(TAKEN) < until:
        peak = max(peak, process.memory_info().rss / MB)
        await asyncio.sleep(LOOK_S)
    return peak
