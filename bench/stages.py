"""One stage: didflow with the purchases of billing and of inventory, or the holdings of provisioning, the floors, and
the naive application.

Every run has a new database and reads the same records from Kafka again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.databases import prepared
from bench.holdings import holding
from bench.machine import Machine
from bench.purchases import numbers, publish, purchase
from bench.rounds import Tell, Variant, interleaved
from bench.topics import create_bench_topics, rewind
from bench.variant import Run, Took, in_process
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged, DidPurchased

OF_PURCHASES = ("billing", "inventory")
OURS = (*OF_PURCHASES, "provisioning")
"""The services whose stage is measured. Provisioning takes holdings, the others take purchases."""
FLOORS = {"floor": "least", **{f"{name}-floor": name for name in OURS}}
FLOORS_OF_PURCHASES = ("floor", *(f"{name}-floor" for name in OF_PURCHASES))
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
            await publish(self.machine.kafka, f"{name}.", numbers(self.messages), _events(name)[1])

    def variant(self, name: str, batch: int, messages: int | None = None, profile: str = "") -> Variant:
        """Return the function that runs one variant."""
        database = name.removesuffix("-floor") if name.startswith(OURS) else "billing"
        module = "didflow_worker" if name in OURS else "floor" if name in FLOORS else name
        service = FLOORS.get(name, name)
        topic, dids = _events(name)[0], self.messages if database == "provisioning" else 0

        async def once() -> Took:
            group = "floor" if name in FLOORS else name
            await rewind(self.machine.kafka, f"{name}.{group}", f"{name}.{topic}")
            async with self.machine.database(database, prepared(database, dids)) as dsn:
                run = Run(
                    kafka=self.machine.kafka,
                    dsn=dsn,
                    prefix=f"{name}.",
                    messages=messages or self.messages,
                    batch=batch,
                    service=service,
                    topic=topic,
                    profile=profile,
                )
                return await in_process(module, run)

        return once


async def measure(
    machine: Machine, names: Sequence[str], *, messages: int, naive: int = 0, rounds: int, tell: Tell
) -> dict[str, list[Took]]:
    """Measure variants with batches of 500 and 100, in one interleaved run; with `naive`, the naive application too."""
    stages = Stages(machine=machine, messages=messages)
    await stages.ready((*names, "naive") if naive else names)
    variants = {f"{name}_{batch}": stages.variant(name, batch) for batch in (500, 100) for name in names}
    if naive:
        variants["naive_500"] = stages.variant("naive", 1, naive)
    return await interleaved(variants, rounds, tell)


def _events(name: str) -> tuple[str, Callable[[int], Event[Any]]]:
    """Return the topic of the events of a variant, and their builder."""
    if name.startswith("provisioning"):
        return DidChanged.topic, holding
    return DidPurchased.topic, purchase
