"""Merges the records of many partitions by their timestamps. The order inside a partition is never changed.

Stored records come in exact order: none is released while a partition with earlier ones may not have answered yet.
New records are held for a moment, because the partitions of a Kafka do not arrive in order. No record is held longer.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, Final, Generic, Protocol, TypeVar

HOLD_S: Final = 0.3
"""How long a new record is held at most."""


class Stamped(Protocol):
    """A Kafka record, as far as its order is concerned. The timestamp is in milliseconds."""

    @property
    def timestamp(self) -> int: ...
    @property
    def offset(self) -> int: ...


Record = TypeVar("Record", bound=Stamped)


class TimeOrder(Generic[Record]):
    """Takes records by partition and releases them by time. `stored` are the partitions that have stored records."""

    def __init__(self, stored: Iterable[Hashable] = (), *, hold_s: float = HOLD_S) -> None:
        self._queues: dict[Hashable, deque[tuple[float, Record]]] = {}
        self._unread = set(stored)
        self._first: list[tuple[int, str, int, Hashable]] = []
        self._hold_s = hold_s

    @property
    def awaited(self) -> set[Any]:
        """The partitions without which no stored record can be released. Empty: all of them may be read."""
        return {partition for partition in self._unread if not self._queues.get(partition)}

    @property
    def unread(self) -> set[Any]:
        """The partitions that still have stored records."""
        return set(self._unread)

    def add(self, partition: Hashable, records: Iterable[Record], now: float) -> None:
        """Take the next records of a partition, which arrived at `now` (seconds)."""
        queue = self._queues.setdefault(partition, deque())
        was_empty = not queue
        queue.extend((now, record) for record in records)
        if was_empty and queue:
            self._offer(partition)

    def complete(self, partition: Hashable) -> None:
        """Note that all stored records of a partition were added."""
        self._unread.discard(partition)

    def released(self, now: float) -> Iterator[Record]:
        """Return the records whose turn has come."""
        while self._first and self._may_release(now):
            partition = heappop(self._first)[-1]
            queue = self._queues[partition]
            yield queue.popleft()[1]
            if queue:
                self._offer(partition)

    def _may_release(self, now: float) -> bool:
        if self._unread:
            return not self.awaited
        oldest = min(queue[0][0] for queue in self._queues.values() if queue)
        return oldest + self._hold_s <= now

    def _offer(self, partition: Hashable) -> None:
        """Compare the first record of a partition with those of the others. Equal timestamps: by the partition."""
        record = self._queues[partition][0][1]
        heappush(self._first, (record.timestamp, str(partition), record.offset, partition))
