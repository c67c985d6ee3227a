"""One stage: didflow with the purchases of billing and of inventory, the floors, and the naive application.

Every run has a new database and reads the same records from Kafka again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.databases import prepared
from bench.machine import Machine
from bench.purchases import TOPIC, numbers, publish
from bench.rounds import Tell, Variant, interleaved
from bench.topics import create_bench_topics, rewind
from bench.variant import Run, Took, in_process

OURS = ("billing", "inventory")
FLOORS = {"floor": "least", "billing-floor": "billing", "inventory-floor": "inventory"}
"""The floors: one that writes the least, and one for each service that writes all that the service writes."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """Runs variants of one stage on a machine that has their records."""

    machine: Machine
    messages: int

    async def ready(self, names: Iterable[str]) -> None:
        """Publish the purchases once for each of these variants, unless an earlier measure has done so."""
        for name in names:
            if name in self.machine.published:
                continue
            self.machine.published.add(name)
            await create_bench_topics(self.machine.kafka, f"{name}.")
            await publish(self.machine.kafka, f"{name}.", numbers(self.messages))

    def variant(self, name: str, batch: int, messages: int | None = None, profile: str = "") -> Variant:
        """Return the function that runs one variant."""
        database = name.removesuffix("-floor") if name.startswith(OURS) else "billing"
        module = "didflow_worker" if name in OURS else "floor" if name in FLOORS else name
        service = FLOORS.get(name, name)

        async def once() -> Took:
            group = "floor" if name in FLOORS else name
            await rewind(self.machine.kafka, f"{name}.{group}", f"{name}.{TOPIC}")
            async with self.machine.database(database, prepared(database)) as dsn:
                run = Run(
                    kafka=self.machine.kafka,
                    dsn=dsn,
                    prefix=f"{name}.",
                    messages=messages or self.messages,
                    batch=batch,
                    service=service,
                    profile=profile,
                )
                return await in_process(module, run)

        return once


async def measure(
    machine: Machine, *, messages: int, naive: int, rounds: int, tell: Tell
) -> dict[str, list[Took]]:
    """Measure all variants with batches of 500 and 100, in one interleaved run."""
    stages = Stages(machine=machine, messages=messages)
    await stages.ready((*FLOORS, "naive", *OURS))
    variants = {
        f"{name}_{batch}": stages.variant(name, batch) for batch in (500, 100) for name in (*FLOORS, *OURS)
    }
    variants["naive_500"] = stages.variant("naive", 1, naive)
    return await interleaved(variants, rounds, tell)
