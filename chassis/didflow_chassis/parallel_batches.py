"""Sends polled records through the stage in up to three batches at a time. While one decides, others wait for SQL.

A poll is split by key, and each key always has the same task, so the order of a key is kept. A poll is complete when it
and all polls before it are decided. If a batch fails, all records in progress are rewound; those that another task has
already committed are recognized as repeats.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

from aiokafka import ConsumerRecord

TASKS = 3
SPLIT_FROM = 50
"""A poll of fewer records is one batch, and no other batch runs beside it."""

Records = Sequence[ConsumerRecord]


@dataclass(slots=True, eq=False)
class Poll:
    """The records of one poll, and how many of its batches are in progress."""

    records: Records
    batches: int = 0
    is_rewound: bool = False


class ParallelBatches:
    """Takes polls in order. `decide` puts one batch through the stage, and raises if nothing of it is committed.

    `on_complete` is called with the records of each complete poll, in order. `on_failure` is called with all records
    that have to be rewound. Call `announce` as soon as a poll returns and before any `await`. If a batch fails later,
    the announced poll is rewound with it.
    """

    def __init__(
        self,
        decide: Callable[[Records], Awaitable[None]],
        on_complete: Callable[[Records], None],
        on_failure: Callable[[Records, Exception], None],
    ) -> None:
        self._decide = decide
        self._on_complete = on_complete
        self._on_failure = on_failure
        self._queues = [asyncio.Queue[tuple[Poll, Records]](maxsize=1) for _ in range(TASKS)]
        self._polls: deque[Poll] = deque()
        self._announced: Poll | None = None
        self._running = 0
        self._is_alone = False
        self._is_stopped = False
        self._admission = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_busy(self) -> bool:
        """Return True if a batch is in progress."""
        return not self._idle.is_set()

    def start(self) -> None:
        """Start the tasks."""
        self._tasks = [asyncio.create_task(self._run(queue)) for queue in self._queues]

    async def stop(self, then: Callable[[], Awaitable[None]]) -> None:
        """Drain and end the tasks. Records that are put later are dropped."""
        await self.drain(then, is_last=True)
        for task in self._tasks:
            task.cancel()

    def announce(self, records: Records) -> None:
        """Register a poll that will be put next."""
        self._announced = Poll(records)

    async def put(self, records: Records) -> None:
        """Wait for room and start a poll, unless it was rewound while it waited."""
        poll = self._announced or Poll(records)
        self._announced = poll
        async with self._admission:
            is_alone = len(records) < SPLIT_FROM
            if is_alone or self._is_alone:
                await self._idle.wait()
            self._announced = None
            if poll.is_rewound or self._is_stopped:
                return
            self._is_alone = is_alone
            batches = [(0, records)] if is_alone else split(records)
            poll.batches = len(batches)
            self._polls.append(poll)
            self._idle.clear()
            for task, batch in batches:
                await self._queues[task].put((poll, batch))

    async def drain(self, then: Callable[[], Awaitable[None]], *, is_last: bool = False) -> None:
        """Wait until no batch is in progress, call `then`, and drop the announced poll."""
        async with self._admission:
            await self._idle.wait()
            self._is_stopped = is_last
            await then()
            if self._announced:
                self._announced.is_rewound = True

    async def _run(self, queue: asyncio.Queue[tuple[Poll, Records]]) -> None:
        while True:
            poll, batch = await queue.get()
            if poll.is_rewound:
                continue
            self._running += 1
            try:
                await self._decide(batch)
            except Exception as error:  # noqa: BLE001 - `on_failure` handles every exception
                self._fail(poll, error)
            else:
                poll.batches -= 1
            finally:
                self._running -= 1
                self._complete()

    def _complete(self) -> None:
        while self._polls and not self._polls[0].batches:
            self._on_complete(self._polls.popleft().records)
        if not self._polls and not self._running:
            self._idle.set()

    def _fail(self, failed: Poll, error: Exception) -> None:
        """Rewind all polls in progress. A poll that is rewound already has been reported by another batch."""
        if failed.is_rewound:
            return
        polls = [*self._polls, *([self._announced] if self._announced else [])]
        for poll in polls:
            poll.is_rewound = True
        self._polls.clear()
        records = [record for poll in polls for record in poll.records]
        self._on_failure(records, error)


def split(records: Records) -> Sequence[tuple[int, Records]]:
    """Split records by key into batches, each with the number of its task. The order of records is kept."""
    batches: list[list[ConsumerRecord]] = [[] for _ in range(TASKS)]
    for record in records:
        batches[crc32(record.key or b"") % TASKS].append(record)
    return [(task, batch) for task, batch in enumerate(batches) if batch]
