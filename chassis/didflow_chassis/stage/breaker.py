"""The breaker: when every record of a partition fails, the fault is ours, and nothing more is given up on.

It counts decisions that failed one after another in a partition; what was taken in between starts anew.
"""

from collections.abc import Iterable

from didflow_chassis.stage.messages import Message

LIMIT = 10
"""So many failures in a row in one partition open the breaker: fewer than that can become dead letters."""

Place = tuple[str, int]


class BreakerOpen(Exception):
    """Nothing of this batch is kept: its partitions wait until a release that can decide is there."""


class Breaker:
    """The failures in a row of each partition that this process reads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._rows: dict[Place, int] = {}

    def judge(self, messages: Iterable[Message]) -> dict[Place, int]:
        """Count a decided batch, in order. Raises BreakerOpen where one partition's failures reach the limit."""
        rows = dict(self._rows)
        for message in messages:
            if message.record is None:
                continue
            place = (message.record.topic, message.record.partition)
            if message.failed:
                rows[place] = rows.get(place, 0) + 1
            elif message.outcome is not None:
                rows.pop(place, None)
            if rows.get(place, 0) >= self._limit:
                raise BreakerOpen(f"{place[0]} {place[1]}: {self._limit} decisions failed in a row")
        return rows

    def keep(self, rows: dict[Place, int]) -> None:
        """Take over the counts of a batch that is committed."""
        self._rows = rows
