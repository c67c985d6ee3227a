"""The breaker: when every record of a partition fails, the fault is ours, and nothing more is given up on.

It counts decisions that failed one after another in a partition; what was taken in between starts anew.
"""

from collections import Counter
from collections.abc import Iterable

from didflow_chassis.stage.messages import Message

LIMIT = 10
"""So many failures in a row in one partition open the breaker: fewer than that can become dead letters."""

Place = tuple[str, int]


class BreakerOpen(Exception):
    """Nothing of this batch is kept: its partitions wait until a release that can decide is there."""


class Breaker:
    """The failures in a row of each partition that this process reads, batches that are under way included."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._rows: Counter[Place] = Counter()

    def judge(self, messages: Iterable[Message]) -> Counter[Place]:
        """Count a decided batch, in order, and return what it adds.

        Raises BreakerOpen, with nothing counted, where one partition's failures reach the limit.
        """
        added: Counter[Place] = Counter()
        for message in messages:
            if message.record is None:
                continue
            place = (message.record.topic, message.record.partition)
            if message.failed:
                self._rows[place] += 1
                added[place] += 1
            elif message.outcome is not None:
                del self._rows[place], added[place]
            if self._rows[place] >= self._limit:
                self.undo(added)
                raise BreakerOpen(f"{place[0]} {place[1]}: {self._limit} decisions failed in a row")
        return added

    def undo(self, added: Counter[Place]) -> None:
        """Take back what a batch added that was not committed."""
        self._rows = self._rows - added
