"""Which offsets may be committed: all before the first record whose answer is not out yet, for each partition."""

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


@dataclass(slots=True)
class Slot:
    """One record in hand; set `done` when it needs not be read again."""

    offset: int
    done: bool = False


class Offsets(Generic[P]):
    """The records in hand, by partition. A slot of a partition that was given away counts no more."""

    def __init__(self) -> None:
        self._slots: dict[P, deque[Slot]] = {}
        self._ready: dict[P, int] = {}

    def take(self, partition: P, offset: int) -> Slot:
        """Take a record in hand; records of a partition come in the order of their offsets."""
        slot = Slot(offset)
        self._slots.setdefault(partition, deque()).append(slot)
        return slot

    def ready(self) -> dict[P, int]:
        """Return for each partition the offset to commit: the next record to be read. Empty: nothing new."""
        for partition, slots in self._slots.items():
            while slots and slots[0].done:
                self._ready[partition] = slots.popleft().offset + 1
        return dict(self._ready)

    def committed(self, offsets: dict[P, int]) -> None:
        """Note what the broker has taken."""
        for partition, offset in offsets.items():
            if self._ready.get(partition) == offset:
                del self._ready[partition]

    def forget(self, partitions: Iterable[P]) -> None:
        """Let partitions go to another reader."""
        for partition in partitions:
            self._slots.pop(partition, None)
            self._ready.pop(partition, None)
