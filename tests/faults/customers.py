"""The load of the random faults: purchases over Kafka and HTTP, changes of DIDs, and a reviewer who approves.

A DID has at most one change in progress. So its final state must be that of the last acknowledged change.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from faults.recording_client import FREE, STRICT, RecordingClient, SentPurchase
from faults.steady_load import repeated, steady_purchases

from didflow.errors import CallFailed

REVIEW_S: Final = 1.0
WEIGHTS: Final[Mapping[str, int]] = {
    "set_voice": 3,
    "set_capacity": 4,
    "set_cycles": 4,
    "renew": 4,
    "cancel": 1,
    "restore": 2,
    "assign": 3,
    "purchase": 4,
    "repeat": 2,
}
"""Kind of change -> its weight."""


@dataclass(kw_only=True)
class Customers:
    """All customers and the reviewer. They share one client. Each pauses `pause_s` on average between two changes."""

    client: RecordingClient
    trunks: list[str]
    details: dict[str, str]
    pause_s: float
    _busy: set[str] = field(default_factory=set)
    _assigned: set[str] = field(default_factory=set)

    async def change(self) -> None:
        """Make one random change to a random DID that has no other change in progress."""
        random_source = self.client.random_source
        await asyncio.sleep(random_source.uniform(0, 2 * self.pause_s))
        kind: Any = random_source.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if kind == "purchase":
            await self.client.purchase_over_http(prefix=random_source.choice((FREE, FREE, STRICT)))
            return
        chosen = self._choose(STRICT if kind == "assign" else FREE)
        if chosen is None or (kind == "assign" and chosen.did_id in self._assigned):
            return
        if kind == "repeat":
            await self.client.repeat(chosen)
            return
        self._busy.add(chosen.did_id)
        try:
            if await self.client.command(kind, chosen, **self._fields(kind)) == "done" and kind == "assign":
                self._assigned.add(chosen.did_id)
        finally:
            self._busy.discard(chosen.did_id)

    async def review(self) -> int:
        """Approve all pending verifications and return their count."""
        attempts: list[Any] = []
        with contextlib.suppress(CallFailed):
            attempts = await self.client.apis["reviewer"].pages("/v1/verifications", status="pending")
        for attempt in attempts:
            await self.client.approve(attempt)
        return len(attempts)

    async def review_and_pause(self) -> None:
        """Approve pending verifications, then pause."""
        await self.review()
        await asyncio.sleep(REVIEW_S)

    def _choose(self, prefix: str) -> SentPurchase | None:
        free = [
            b for b in self.client.purchases if b.number.startswith(prefix) and b.did_id not in self._busy
        ]
        return self.client.random_source.choice(free) if free else None

    def _fields(self, kind: str) -> dict[str, Any]:
        random_source = self.client.random_source
        fields: dict[str, dict[str, Any]] = {
            "set_voice": {"voice_trunk_id": random_source.choice(self.trunks)},
            "set_capacity": {"capacity": random_source.randint(0, 30)},
            "set_cycles": {"billing_cycles": random_source.choice((None, 0, 1, 2, 12))},
            "renew": {"billing_period": random_source.choice((1, 3, 12))},
            "assign": dict(self.details),
        }
        return fields.get(kind, {})


@asynccontextmanager
async def customer_load(
    client: RecordingClient, *, every: float, at_once: int, pause_s: float
) -> AsyncIterator[Customers]:
    """Let the customers and the reviewer act during the block. At the end, wait until all requests are answered."""
    trunks = [await client.trunk() for _ in range(2)]
    details = await client.details()
    customers = Customers(client=client, trunks=trunks, details=details, pause_s=pause_s)
    async with (
        steady_purchases(client, every=every),
        repeated(customers.change, at_once=at_once),
        repeated(customers.review_and_pause),
    ):
        yield customers
