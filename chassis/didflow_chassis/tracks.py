"""The tracks on which polls go through the stage side by side: while one decides, the other's database works.

A key is on one track only, so its order is kept, and a poll is reached when all before it are. When a track fails,
all that is under way is given up: it comes again from where it began, and what other tracks did is a repeat then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

from aiokafka import ConsumerRecord

TRACKS = 3
WORTH_PARTING = 50
"""A poll of fewer records goes through whole, alone: it is not worth a second transaction."""

Records = Sequence[ConsumerRecord]


@dataclass(slots=True, eq=False)
class Poll:
    """Records that came together; `parts` of it are still under way."""

    records: Records
    parts: int = 0
    is_given_up: bool = False


class Tracks:
    """Takes polls in order. `through` puts a part through the stage and raises where nothing of it is committed.

    `reached` is told of each poll that is through, `failed` of all records that were given up and why. Each poll MUST
    be announced in the moment in which it comes, before anything else can happen: what fails then takes it along.
    """

    def __init__(
        self,
        through: Callable[[Records], Awaitable[None]],
        reached: Callable[[Records], None],
        failed: Callable[[Records, Exception], None],
    ) -> None:
        self._through = through
        self._reached = reached
        self._failed = failed
        self._queues = [asyncio.Queue[tuple[Poll, Records]](maxsize=1) for _ in range(TRACKS)]
        self._polls: deque[Poll] = deque()
        self._announced: Poll | None = None
        self._running = 0
        self._is_whole = False
        self._is_over = False
        self._admission = asyncio.Lock()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return not self._quiet.is_set()

    def start(self) -> None:
        """Let the tracks run until `stop`."""
        self._tasks = [asyncio.create_task(self._run(queue)) for queue in self._queues]

    async def stop(self, then: Callable[[], Awaitable[None]]) -> None:
        """Drain the tracks and end them; what is put after that is dropped, and nobody waits for it."""
        await self.drain(then, is_last=True)
        for task in self._tasks:
            task.cancel()

    def announce(self, records: Records) -> None:
        """Tell of a poll that is about to be put."""
        self._announced = Poll(records)

    async def put(self, records: Records) -> None:
        """Send a poll on its way, as soon as there is room, unless it was given up meanwhile."""
        poll = self._announced or Poll(records)
        self._announced = poll
        async with self._admission:
            is_whole = len(records) < WORTH_PARTING
            if is_whole or self._is_whole:
                await self._quiet.wait()
            self._announced = None
            if poll.is_given_up or self._is_over:
                return
            self._is_whole = is_whole
            parts = [(0, records)] if is_whole else parted(records)
            poll.parts = len(parts)
            self._polls.append(poll)
            self._quiet.clear()
            for track, part in parts:
                await self._queues[track].put((poll, part))

    async def drain(self, then: Callable[[], Awaitable[None]], *, is_last: bool = False) -> None:
        """Let all that is under way end, do something, and forget what was polled and is not under way yet."""
        async with self._admission:
            await self._quiet.wait()
            self._is_over = is_last
            await then()
            if self._announced:
                self._announced.is_given_up = True

    async def _run(self, queue: asyncio.Queue[tuple[Poll, Records]]) -> None:
        while True:
            poll, part = await queue.get()
            if poll.is_given_up:
                continue
            self._running += 1
            try:
                await self._through(part)
            except Exception as error:  # noqa: BLE001 - whoever is told of it says what it is
                self._give_up(poll, error)
            else:
                poll.parts -= 1
            finally:
                self._running -= 1
                self._advance()

    def _advance(self) -> None:
        while self._polls and not self._polls[0].parts:
            self._reached(self._polls.popleft().records)
        if not self._polls and not self._running:
            self._quiet.set()

    def _give_up(self, failing: Poll, error: Exception) -> None:
        """Drop all polls under way; a second failure among them is the same one."""
        if failing.is_given_up:
            return
        polls = [*self._polls, *([self._announced] if self._announced else [])]
        for poll in polls:
            poll.is_given_up = True
        self._polls.clear()
        records = [record for poll in polls for record in poll.records]
        self._failed(records, error)


def parted(records: Records) -> Sequence[tuple[int, Records]]:
    """Part records by key: each part with its track, in the order in which they came."""
    parts: list[list[ConsumerRecord]] = [[] for _ in range(TRACKS)]
    for record in records:
        parts[crc32(record.key or b"") % TRACKS].append(record)
    return [(track, part) for track, part in enumerate(parts) if part]
