"""The continuous load: purchases over Kafka and HTTP, changes of numbers, and a reviewer who approves.

A DID has one change in progress at a time, so its final state must be that of the last acknowledged change.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from faults.load import loading, repeating
from faults.oracle import FREE, STRICT, Oracle, OraclePurchase

from didflow.errors import CallFailed

REVIEW_S: Final = 1.0
WISHES: Final[Mapping[str, int]] = {
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
"""Wish -> its weight."""


@dataclass(kw_only=True)
class Customers:
    """All who act, with one oracle. `pause_s` is the pause of each of them between two changes."""

    oracle: Oracle
    trunks: list[str]
    details: dict[str, str]
    pause_s: float
    _busy: set[str] = field(default_factory=set)
    _assigned: set[str] = field(default_factory=set)

    async def change(self) -> None:
        """Make one change of any kind to any number that has no other change in progress."""
        chance = self.oracle.chance
        await asyncio.sleep(chance.uniform(0, 2 * self.pause_s))
        kind: Any = chance.choices(list(WISHES), list(WISHES.values()))[0]
        if kind == "purchase":
            await self.oracle.purchase_over_http(prefix=chance.choice((FREE, FREE, STRICT)))
            return
        one = self._free(STRICT if kind == "assign" else FREE)
        if one is None or (kind == "assign" and one.did_id in self._assigned):
            return
        if kind == "repeat":
            await self.oracle.repeat(one)
            return
        self._busy.add(one.did_id)
        try:
            if await self.oracle.command(kind, one, **self._asked(kind)) == "done" and kind == "assign":
                self._assigned.add(one.did_id)
        finally:
            self._busy.discard(one.did_id)

    async def review(self) -> int:
        """Approve all pending verifications and return their count."""
        attempts: list[Any] = []
        with contextlib.suppress(CallFailed):
            attempts = await self.oracle.apis["reviewer"].pages("/v1/verifications", status="pending")
        for attempt in attempts:
            await self.oracle.approve(attempt)
        return len(attempts)

    async def reviewing(self) -> None:
        """Approve pending verifications, then pause."""
        await self.review()
        await asyncio.sleep(REVIEW_S)

    def _free(self, prefix: str) -> OraclePurchase | None:
        some = [b for b in self.oracle.bought if b.number.startswith(prefix) and b.did_id not in self._busy]
        return self.oracle.chance.choice(some) if some else None

    def _asked(self, kind: str) -> dict[str, Any]:
        chance = self.oracle.chance
        asked: dict[str, dict[str, Any]] = {
            "set_voice": {"voice_trunk_id": chance.choice(self.trunks)},
            "set_capacity": {"capacity": chance.randint(0, 30)},
            "set_cycles": {"billing_cycles": chance.choice((None, 0, 1, 2, 12))},
            "renew": {"billing_period": chance.choice((1, 3, 12))},
            "assign": dict(self.details),
        }
        return asked.get(kind, {})


@asynccontextmanager
async def acting(oracle: Oracle, *, every: float, at_once: int, pause_s: float) -> AsyncIterator[Customers]:
    """Let all act during the block. At the end, wait until all requests are answered."""
    trunks = [await oracle.trunk() for _ in range(2)]
    details = await oracle.details()
    customers = Customers(oracle=oracle, trunks=trunks, details=details, pause_s=pause_s)
    async with (
        loading(oracle, every=every),
        repeating(customers.change, at_once=at_once),
        repeating(customers.reviewing),
    ):
        yield customers
