"""Runs jobs side by side, but those of one number one after another, in the order in which they came."""

import asyncio
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]


class Lanes:
    """At most `width` jobs at work at once. A job that raises ends alone; the next of its lane runs."""

    def __init__(self, width: int) -> None:
        self._places = asyncio.Semaphore(width)
        self._last: dict[str, asyncio.Task[None]] = {}
        self._all: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """How many jobs are at work or wait their turn."""
        return len(self._all)

    def start(self, lane: str, job: Job) -> asyncio.Task[None]:
        """Put a job at the end of its lane."""
        task = asyncio.create_task(self._run(self._last.get(lane), job))
        self._last[lane] = task
        self._all.add(task)
        task.add_done_callback(lambda done: self._ended(lane, done))
        return task

    async def drain(self, within_s: float) -> None:
        """Wait until all jobs have ended; those that take longer are cancelled."""
        if self._all:
            _, late = await asyncio.wait(tuple(self._all), timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, before: asyncio.Task[None] | None, job: Job) -> None:
        if before is not None:
            await asyncio.wait((before,))
        async with self._places:
            await job()

    def _ended(self, lane: str, task: asyncio.Task[None]) -> None:
        self._all.discard(task)
        if self._last.get(lane) is task:
            del self._last[lane]
        if not task.cancelled():
            task.exception()
