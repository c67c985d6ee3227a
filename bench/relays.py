"""The relay against a bare producer, in interleaved rounds."""

from bench.databases import prepared
from bench.machine import Machine
from bench.rounds import Tell, Variant, interleaved
from bench.topics import create_bench_topics
from bench.variant import Run, Took, in_process

PREFIX = "relay."


async def measure(machine: Machine, *, rows: int, rounds: int, tell: Tell) -> dict[str, list[Took]]:
    """Return the figures of `relay` and `bare_producer` for this many rows, round by round."""
    await create_bench_topics(machine.kafka, PREFIX)

    def variant(module: str) -> Variant:
        async def once() -> Took:
            async with machine.database("billing", prepared("billing")) as dsn:
                return await in_process(
                    module, Run(kafka=machine.kafka, dsn=dsn, prefix=PREFIX, messages=rows)
                )

        return once

    return await interleaved({name: variant(name) for name in ("relay", "bare_producer")}, rounds, tell)
