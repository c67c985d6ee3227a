"""The breaker: if one decision after another fails in a partition, the defect is ours and no record is given up.

It counts the decisions that failed in a row in each partition. A decision that succeeds resets the count.
"""

from collections import Counter
from collections.abc import Iterable

from didflow_chassis.stage.messages import Message

LIMIT = 10
"""The number of failures in a row in one partition that opens the breaker. Fewer can become dead letters."""

Partition = tuple[str, int]
"""Topic and partition number."""


class BreakerOpen(Exception):
    """Nothing of the batch is committed. Its partitions wait for a release that can decide it."""


class Breaker:
    """The failures in a row of each partition that this process reads, batches in progress included."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._failures: Counter[Partition] = Counter()

    def count(self, messages: Iterable[Message]) -> Counter[Partition]:
        """Count the failures of a decided batch, in order, and return what it adds.

        Raises BreakerOpen, with nothing counted, if the failures of one partition reach the limit.
        """
        added: Counter[Partition] = Counter()
        for message in messages:
            if message.record is None:
                continue
            partition = (message.record.topic, message.record.partition)
            if message.failed:
                self._failures[partition] += 1
                added[partition] += 1
            elif message.decision is not None:
                del self._failures[partition], added[partition]
            if self._failures[partition] >= self._limit:
                self.undo(added)
                raise BreakerOpen(f"{self._limit} decisions in a row failed in {partition[0]} {partition[1]}")
        return added

    def undo(self, added: Counter[Partition]) -> None:
        """Subtract what a batch added that was not committed."""
        self._failures = self._failures - added
