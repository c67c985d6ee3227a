"""In which order commands run, and which offsets can be committed."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

P = TypeVar("P", bound=Hashable)
_LOG = structlog.get_logger(__name__)


class NumberQueues:
    """Runs jobs. Those of one number run in order, those of different numbers concurrently.

    If a job raises an exception, it is logged, and the next job of the number runs all the same.
    """

    def __init__(self) -> None:
        self._of: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._all: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """The number of jobs that run or are queued."""
        return len(self._all)

    def start(self, number: str, job: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Add a job to the end of the number's queue.

        It waits for all jobs before it: one in between can be canceled while the first one still runs.
        """
        task = asyncio.create_task(self._run(tuple(self._of[number]), job))
        self._of[number].add(task)
        self._all.add(task)
        task.add_done_callback(lambda done: self._remove(number, done))
        return task

    async def drain(self, timeout_s: float) -> None:
        """Wait until all jobs have ended. Jobs that take longer than the timeout are canceled."""
        if self._all:
            _, late = await asyncio.wait(tuple(self._all), timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, before: Collection[asyncio.Task[None]], job: Callable[[], Awaitable[None]]) -> None:
        if before:
            await asyncio.wait(before)
        await job()

    def _remove(self, number: str, task: asyncio.Task[None]) -> None:
        self._all.discard(task)
        self._of[number].discard(task)
        if not self._of[number]:
            del self._of[number]
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a job failed", exc_info=error)


@dataclass(slots=True)
class PendingRecord:
    """One record in progress. Set `is_finished` when it does not need to be read again."""

    offset: int
    is_finished: bool = False


class PendingOffsets(Generic[P]):
    """The records in progress, for each assigned partition. `changed` is set when a record is finished.

    Records of a partition MUST be added in the order of their offsets. Records that belong to an earlier assignment of
    their partition have no effect.
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._open: set[P] = set()
        self._records: dict[P, deque[PendingRecord]] = {}
        self._committable: dict[P, int] = {}

    def open(self, partitions: Iterable[P]) -> None:
        """Accept records of partitions that were assigned."""
        self._open.update(partitions)

    def close(self, partitions: Iterable[P]) -> None:
        """Accept no more records of partitions that are being revoked."""
        self._open.difference_update(partitions)

    def add(self, partition: P, offset: int) -> PendingRecord | None:
        """Add a record. Return None if the partition is not open."""
        if partition not in self._open:
            return None
        record = PendingRecord(offset)
        self._records.setdefault(partition, deque()).append(record)
        return record

    def committable(self) -> dict[P, int]:
        """Return the offset to commit for each partition: that of the next record to read. Empty if none is new."""
        for partition, records in self._records.items():
            while records and records[0].is_finished:
                self._committable[partition] = records.popleft().offset + 1
        return dict(self._committable)

    def committed(self, offsets: dict[P, int]) -> None:
        """Note the offsets that the broker accepted."""
        for partition, offset in offsets.items():
            if self._committable.get(partition) == offset:
                del self._committable[partition]

    def forget(self, partitions: Iterable[P]) -> None:
        """Forget the records of partitions that were revoked."""
        for partition in partitions:
            self._records.pop(partition, None)
            self._committable.pop(partition, None)
