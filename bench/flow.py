"""The whole flow: purchases go in as fast as they can, until the last DID is activated, over four services."""

import itertools
import time

from bench import stages
from bench.machine import Machine
from bench.purchases import numbers, publish
from bench.rounds import Tell, Variant, interleaved
from bench.run import Took
from bench.whole import PREFIX, Whole, whole

FIRST = 0


def flow(running: Whole, purchases: int) -> Variant:
    """Return what sends so many new purchases through; its messages are those that the four stages took."""
    firsts = itertools.count(FIRST, 2 * purchases)

    async def once() -> Took:
        listener = running.listener
        listener.heard.clear()
        before = sum((await running.taken()).values())
        started = time.perf_counter()
        await publish(running.kafka, PREFIX, numbers(purchases, next(firsts)))
        await listener.wait(purchases)
        seconds = max(listener.heard.values()) - started
        taken = sum((await running.taken()).values()) - before
        await running.quiet.wait()
        return Took(messages=taken, seconds=seconds, published=purchases)

    return once


async def measure(
    machine: Machine, *, purchases: int, messages: int, rounds: int, tell: Tell
) -> dict[str, list[Took]]:
    """Measure the flow and the one-stage floors, interleaved; `published` of the flow are its DIDs."""
    ready = stages.Stages(machine=machine, messages=messages)
    names = [f"{name}-floor" for name in stages.OURS]
    await ready.ready(names)
    async with whole(machine, tell) as running:
        variants = {"flow": flow(running, purchases)} | {name: ready.variant(name, 500) for name in names}
        return await interleaved(variants, rounds, tell)
