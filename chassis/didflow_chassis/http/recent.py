"""Values that are remembered for a limited time, in bounded memory."""

import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

MOST: Final = 10_000

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by key. Each is forgotten `lasting_s` seconds after it was added, or when `most` newer ones were added.

    `clock` is monotonic, in seconds.
    """

    def __init__(
        self, lasting_s: float, clock: Callable[[], float] = time.monotonic, *, most: int = MOST
    ) -> None:
        self._lasting_s = lasting_s
        self._clock = clock
        self._most = most
        self._values: dict[Hashable, tuple[V, float]] = {}

    def add(self, key: Hashable, value: V) -> None:
        """Remember a value from now on."""
        self._values.pop(key, None)
        self._values[key] = (value, self._clock())
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]

    def get(self, key: Hashable) -> V | None:
        """Return the value of a key, or None if there is none or it is too old."""
        found = self._values.get(key)
        return found[0] if found is not None and self._clock() - found[1] < self._lasting_s else None

    def __contains__(self, key: Hashable) -> bool:
        """Return True if the key was added and is not too old."""
        found = self._values.get(key)
        return found is not None and self._clock() - found[1] < self._lasting_s

    def __len__(self) -> int:
        """Return the number of values in memory."""
        return len(self._values)
