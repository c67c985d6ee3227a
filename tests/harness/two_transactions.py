"""Two transactions at the same instant: the first is held before its commit until the second waits for a lock."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from didflow_chassis import failpoints
from didflow_chassis.testing import ServiceOnPostgres

WAITS_FOR_LOCK = """
SELECT FROM pg_locks JOIN pg_database ON database = pg_database.oid
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


class _Gate:
    """Holds the first transaction of a stage just before its commit, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def hit(self, place: str, about: str = "") -> None:
        """Stand in for `failpoints.hit`."""
        if place == "stage.commit" and not self.reached.is_set():
            self.reached.set()
            await self.opened.wait()


async def in_this_order(
    running: ServiceOnPostgres, first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any]
) -> tuple[Any, Any, bool]:
    """Run both calls; the first one is held before its commit. Return their results, and whether the second waited."""
    gate = _Gate()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoints, "hit", gate.hit)
        held = asyncio.create_task(first)
        reached = asyncio.create_task(gate.reached.wait())
        await asyncio.wait({held, reached}, return_when=asyncio.FIRST_COMPLETED)
        if held.done():
            pytest.fail(f"The first call did not get to its commit: {held.result()}")
        later = asyncio.create_task(second)
        while not later.done() and not await running.fetch(WAITS_FOR_LOCK):
            pass
        has_waited = not later.done()
        gate.opened.set()
        results = await held, await later
        reached.cancel()
    return *results, has_waited
