"""How many calls to the carrier run at once, how many begin in a second, and when none may begin.

A process has the part of the rate that its partitions are of all partitions. So several processes of one carrier
together never exceed the rate, without knowing of each other. Calls begin at equal intervals, so there is no burst.

No library is used: the interval changes with the partitions, and `Retry-After` moves the same instant.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from typing import Final

LONGEST_WAIT_S: Final = 30.0
"""A command waits this long for the end of a pause. If the pause is longer, the command fails as rate limited."""
LONGEST_PAUSE_S: Final = 600.0
"""The longest pause, whatever the carrier asks for."""


class CarrierPaused(Exception):
    """The carrier asked for a pause that is longer than a command waits. `seconds` are left of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The carrier asked to wait for another {ceil(seconds)} s.")
        self.seconds = ceil(seconds)


class Pace:
    """The limits of the calls of this process to one carrier. `rate_per_s` is that of all processes; None: no limit."""

    def __init__(self, concurrency: int, rate_per_s: float | None = None) -> None:
        self._rate_per_s = rate_per_s
        self._interval_s = 1 / rate_per_s if rate_per_s else 0.0
        self._running = asyncio.Semaphore(concurrency)
        self._turn = asyncio.Lock()
        self._next_at = 0.0
        self._paused_until = 0.0

    @property
    def paused_s(self) -> float:
        """The seconds until the carrier may be called again."""
        return max(0.0, self._paused_until - _now())

    def share(self, assigned: int, partitions: int) -> None:
        """Set how many of all partitions this process has. With none it has no command."""
        if self._rate_per_s and assigned:
            self._interval_s = partitions / assigned / self._rate_per_s

    def pause(self, seconds: float) -> None:
        """Begin no call for this long. A pause that ends later goes on."""
        self._paused_until = max(self._paused_until, _now() + min(seconds, LONGEST_PAUSE_S))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a call may begin, and count it while the block runs. Raises CarrierPaused."""
        async with self._running:
            await self._wait()
            yield

    async def _wait(self) -> None:
        async with self._turn:
            while (wait := max(self.paused_s, self._next_at - _now())) > 0:
                if self.paused_s > LONGEST_WAIT_S:
                    raise CarrierPaused(self.paused_s)
                await asyncio.sleep(wait)
            self._next_at = _now() + self._interval_s


def _now() -> float:
    return asyncio.get_running_loop().time()
