"""Paces background work, which is due timers and jobs, so that live traffic keeps its time.

Background work is done in chunks: a chunk is one small transaction. A worker runs one chunk at a time. After each one,
all background work of the worker pauses. While the worker has live work, or had some a moment ago, the pause is four
times as long as the chunk took: a worker then gives a fifth of its time to background work. While it has none, the
pause is a quarter of the time of the chunk. If live work comes during the short pause, the pause becomes the long one.
On a busy machine, where chunks take longer, both are longer.

A worker that has had no live work for some seconds is calm. Its chunks grow as long as they stay short, because a large
chunk has as many statements as a small one, and it pauses for a tenth of their time. The first record waits for one
large chunk at most. Then the chunks are small again.

A chunk does not begin while many rows wait in the outbox, because the relay publishes them in order and live events
would wait behind them.

    pace = pacing.pace()
    while there is more to do:
        async with pace.chunk() as size:
            ...  # one transaction for at most `size` things
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from didflow_chassis.database import Database

MAX_CHUNK: Final = 50
"""The most things of one chunk, unless the worker is calm."""
CALM_CHUNK: Final = 500
"""The most things of one chunk of a calm worker."""
MIN_CHUNK: Final = 10
LONG_S: Final = 0.1
"""After a chunk that took longer, the next chunk of the same work is half as large. After one that took less than half
of this, the next one is twice as large."""
CALM_LONG_S: Final = 0.25
"""The same for the chunks of a calm worker."""
PAUSE: Final = 4
"""How many times as long as a chunk the pause after it is, beside live work."""
IDLE_PAUSE: Final = 0.25
"""The same without live work."""
CALM_PAUSE: Final = 0.1
"""The same in a calm worker."""
MAX_OUTBOX: Final = 200
"""A chunk waits while more rows than this wait in the outbox."""
PATIENCE_S: Final = 1.0
"""How long a chunk waits for an outbox that the relay is emptying. So background work goes on in a busy system."""
_LOOK_S: Final = 0.005
_OUTBOX: Final = "SELECT count(*), min(id) FROM (SELECT id FROM outbox ORDER BY id LIMIT $1) AS first"


class Load(Protocol):
    """What is known about the live work of the process."""

    def is_live(self) -> bool:
        """Return True if the process has live work, or had some a moment ago."""

    def is_calm(self) -> bool:
        """Return True if the process has had no live work for some seconds."""


class Unseen:
    """The process cannot see whether there is live work, so there may always be some."""

    def is_live(self) -> bool:
        """Return True."""
        return True

    def is_calm(self) -> bool:
        """Return False."""
        return False


class Pacing:
    """The turns of all background work of one worker. Each kind of work takes its own `Pace`."""

    def __init__(self, database: Database, load: Load = Unseen()) -> None:  # noqa: B008 - it has no state
        self._database = database
        self._load = load
        self._turn = asyncio.Lock()
        self._ended_at = self._took = 0.0

    @property
    def is_calm(self) -> bool:
        """True if the worker has had no live work for some seconds."""
        return self._load.is_calm()

    def pace(self, per_s: float = math.inf) -> "Pace":
        """Return a new pace for one kind of work. `per_s` is the limit that its caller keeps to, in things a second."""
        return Pace(self, per_s)

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
        """Wait for the end of the pause after the last chunk. It is short if there was no live work for long.

        Call it before work is claimed for a chunk, so that others can have the work during the pause.
        """
        await self._sleep_until(self._ended_at + CALM_PAUSE * self._took)
        if not self._load.is_calm():
            await self._sleep_until(self._ended_at + IDLE_PAUSE * self._took)
        if self._load.is_live():
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
    """The chunks of one kind of background work. `size` is the most things of its next chunk.

    If the work has a limit, a large chunk has at most what the limit allows in `LONG_S`. So its events come steadily.
    """

    def __init__(self, pacing: Pacing, per_s: float) -> None:
        self.size = MAX_CHUNK
        self._pacing = pacing
        self._calm_size = max(MAX_CHUNK, int(min(CALM_CHUNK, per_s * LONG_S)))

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
        self.size = min(self.size, self._largest)
        began = time.monotonic()
        yield self.size
        took = time.monotonic() - began
        long_s = CALM_LONG_S if self._pacing.is_calm else LONG_S
        if took > long_s:
            self.size = max(MIN_CHUNK, self.size // 2)
        elif took < long_s / 2:
            self.size = min(self._largest, self.size * 2)

    @property
    def _largest(self) -> int:
        return self._calm_size if self._pacing.is_calm else MAX_CHUNK
