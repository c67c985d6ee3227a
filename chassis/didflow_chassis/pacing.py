"""Paces background work, which is due timers and jobs, so that live traffic keeps its time.

Background work is done in chunks: a chunk is one small transaction. A worker runs one chunk at a time. After each one,
all background work of the worker pauses. While the worker has live work, or had some a moment ago, the pause is four
times as long as the chunk took: a worker then gives a fifth of its time to background work. While it has none, the
pause is a quarter of the time of the chunk. If live work comes during the short pause, the pause becomes the long one.
On a busy machine, where chunks take longer, both are longer.

A chunk does not begin while many rows wait in the outbox, because the relay publishes them in order and live events
would wait behind them.

    pace = pacing.pace()
    while there is more to do:
        async with pace.chunk() as size:
            ...  # one transaction for at most `size` things
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from didflow_chassis.database import Database

MAX_CHUNK: Final = 50
"""The most things of one chunk."""
MIN_CHUNK: Final = 10
LONG_S: Final = 0.1
"""After a chunk that took longer, the next chunk of the same work is half as large."""
PAUSE: Final = 4
"""How many times as long as a chunk the pause after it is, beside live work."""
IDLE_PAUSE: Final = 0.25
"""The same without live work."""
MAX_OUTBOX: Final = 200
"""A chunk waits while more rows than this wait in the outbox."""
PATIENCE_S: Final = 1.0
"""How long a chunk waits for an outbox that the relay is emptying. So background work goes on in a busy system."""
_LOOK_S: Final = 0.02
_OUTBOX: Final = "SELECT count(*), min(id) FROM (SELECT id FROM outbox ORDER BY id LIMIT $1) AS first"


IsLive = Callable[[], bool]
"""Returns True if the process has live work, or had some a moment ago."""


def always_live() -> bool:
    """Return True: the process cannot see whether there is live work."""
    return True


class Pacing:
    """The turns of all background work of one worker. Each kind of work takes its own `Pace`."""

    def __init__(self, database: Database, is_live: IsLive = always_live) -> None:
        self._database = database
        self._is_live = is_live
        self._turn = asyncio.Lock()
        self._ended_at = self._took = 0.0

    def pace(self) -> "Pace":
        """Return a new pace for one kind of work."""
        return Pace(self)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run the block as one chunk, after those that were waiting before. Raises Outage.

        It waits for the pause after the last chunk and for room in the outbox. Without a recent chunk and with few
        rows in the outbox, it begins at once.
        """
        async with self._turn:
            await self.pause()
            await self._outbox_has_room()
            began = time.monotonic()
            try:
                yield
            finally:
                self._ended_at = time.monotonic()
                self._took = self._ended_at - began

    async def pause(self) -> None:
        """Wait for the end of the pause after the last chunk: of the short one, and with live work of the long one.

        Call it before work is claimed for a chunk, so that others can have the work during the pause.
        """
        await self._sleep_until(self._ended_at + IDLE_PAUSE * self._took)
        if self._is_live():
            await self._sleep_until(self._ended_at + PAUSE * self._took)

    async def _sleep_until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, instant - time.monotonic()))

    async def _outbox_has_room(self) -> None:
        """Wait until few rows are in the outbox. If the relay publishes but cannot keep up, wait `PATIENCE_S`."""
        began, look_s, oldest = time.monotonic(), _LOOK_S, None
        while True:
            ((rows, first),) = await self._database.fetch(_OUTBOX, MAX_OUTBOX + 1)
            oldest = first if oldest is None else oldest
            is_late = time.monotonic() - began >= PATIENCE_S
            if rows <= MAX_OUTBOX or (is_late and first != oldest):
                return
            await asyncio.sleep(look_s)
            look_s = min(2 * look_s, PATIENCE_S)


class Pace:
    """The chunks of one kind of background work. `size` is the most things of its next chunk."""

    def __init__(self, pacing: Pacing) -> None:
        self.size = MAX_CHUNK
        self._pacing = pacing

    @asynccontextmanager
    async def chunk(self) -> AsyncIterator[int]:
        """Wait for a turn and run the block as one chunk. It gets the most things that it may do. Raises Outage."""
        async with self._pacing.turn(), self.measured() as size:
            yield size

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[int]:
        """Run the block at once, outside the turns. It gets the most things that it may do.

        After a slow chunk the next one is smaller, so that one kind of work cannot delay another, or live traffic that
        needs the same locks, for long.
        """
        began = time.monotonic()
        yield self.size
        took = time.monotonic() - began
        if took > LONG_S:
            self.size = max(MIN_CHUNK, self.size // 2)
        elif took < LONG_S / 4:
            self.size = min(MAX_CHUNK, self.size * 2)
