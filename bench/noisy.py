"""What the backlog of one account costs another: purchases of B behind all purchases of A, in every partition.

Order within a partition is promised, so a purchase waits for those that were published before it. This measures how
long: first with nothing before it, then behind more and more purchases of A. All services run, with one worker each.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from faults.bulk_purchases import publish, purchase_records

from bench.machine import Machine
from bench.rounds import Tell
from bench.whole_stack import PREFIX, WholeStack, whole_stack
from didflow.services import SERVICES
from didflow_contracts.events import DidPurchased

NOISY: Final = "master/acme"
OTHER: Final = "master/globex"
PURCHASES: Final = 24
"""The purchases of the other account. They are enough to meet most of the twelve partitions."""
SIZES: Final = (1_000, 10_000)
"""The backlogs that are measured before the largest one."""
PATIENCE_S: Final = 1_200.0
_PAUSE_S: Final = 0.05
_COUNT_EVERY_S: Final = 1.0
_TABLES: Final[Mapping[str, str]] = {
    "inventory": "dids",
    "verification": "registrations",
    "billing": "terms",
    "provisioning": "routings",
}
_ACTIVE: Final = "active"
_IS_ACTIVE: Final = (
    "SELECT did_id FROM dids WHERE did_id = ANY($1::uuid[]) AND routing ->> 'carrier_state' = 'active'"
)


@dataclass(kw_only=True)
class Waited:
    """How long the purchases of the other account waited behind `before` purchases, in seconds from their publishing.

    `took` has for each service the times until it had decided each of them, in order, and under `active` until
    inventory showed their carrier as active. What took longer than `PATIENCE_S` is not in it. `backlog` is when each
    service had decided the last purchase of the backlog.
    """

    before: int
    took: dict[str, list[float]] = field(default_factory=dict)
    backlog: dict[str, float] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, float]:
        """The median and the longest time of each step."""
        found = {}
        for name, times in self.took.items():
            if times:
                found[name] = round(times[len(times) // 2], 2)
                found[f"{name} worst"] = round(times[-1], 2)
        return found | {f"{name} backlog": round(at, 2) for name, at in self.backlog.items()}


async def measure(machine: Machine, *, largest: int, tell: Tell) -> list[Waited]:
    """Measure with nothing before the purchases, and then behind backlogs up to the largest one."""
    sizes = [*(size for size in SIZES if size < largest), largest]
    found = []
    async with whole_stack(machine, tell) as running:
        await _waited(running, 0, first=0)
        first = 0
        for number, size in enumerate((0, *sizes), 1):
            found.append(await _waited(running, size, first=first, turn=number))
            first += size
            tell(f"behind {size:,}: {found[-1].numbers}")
    return found


async def _waited(running: WholeStack, before: int, *, first: int, turn: int = 0) -> Waited:
    """Publish a backlog and the purchases behind it. Wait until all of both are decided and the latter are active."""
    topic = PREFIX + DidPurchased.topic
    counts = {name: await _count(running, name) for name in SERVICES}
    wanted = {name: count + before for name, count in counts.items()}
    numbers = range(5_000_000 + turn * PURCHASES, 5_000_000 + (turn + 1) * PURCHASES)
    await publish(running.kafka, topic, purchase_records(before, first=first, account=NOISY))
    purchases = purchase_records(PURCHASES, first=numbers[0], account=OTHER)
    await publish(running.kafka, topic, purchases)
    return await _watched(running, [_did_id(n) for n in numbers], wanted, before)


async def _watched(
    running: WholeStack, dids: Sequence[UUID], wanted: Mapping[str, int], before: int
) -> Waited:
    started = counted = time.perf_counter()
    waited = Waited(before=before, took={name: [] for name in (*SERVICES, _ACTIVE)})
    missing = {name: set(dids) for name in waited.took}
    while any(missing.values()) or waited.backlog.keys() < _TABLES.keys():
        await asyncio.sleep(_PAUSE_S)
        since = time.perf_counter() - started
        if since > PATIENCE_S:
            break
        for name, left in missing.items():
            done = left & await _decided(running, name, left)
            waited.took[name] += [since] * len(done)
            left.difference_update(done)
        if time.perf_counter() - counted >= _COUNT_EVERY_S or not before:
            counted = time.perf_counter()
            for name in _TABLES.keys() - waited.backlog.keys():
                if await _count(running, name) >= wanted[name]:
                    waited.backlog[name] = time.perf_counter() - started
    return waited


async def _decided(running: WholeStack, name: str, dids: set[UUID]) -> set[UUID]:
    if not dids:
        return set()
    service = "inventory" if name == _ACTIVE else name
    query = (
        _IS_ACTIVE
        if name == _ACTIVE
        else f"SELECT did_id FROM {_TABLES[name]} WHERE did_id = ANY($1::uuid[])"  # noqa: S608
    )
    return {row["did_id"] for row in await running.databases[service].fetch(query, list(dids))}


async def _count(running: WholeStack, name: str) -> int:
    """Count the DIDs of the noisy account that a service has decided."""
    query = f"SELECT count(*) FROM {_TABLES[name]} WHERE account = $1"  # noqa: S608
    found: int = await running.databases[name].fetchval(query, NOISY)
    return found


def _did_id(number: int) -> UUID:
    """Return the id that `purchase_records` gives to the DID of this number."""
    return UUID(f"{number:08x}-0000-7000-8000-000000000000")
