"""Whether a worker has live work: records that were polled, in progress or a moment ago.

Background work takes most of the time of a worker that has none (`pacing`).
"""

import time
from collections.abc import Callable
from typing import Final

QUIET_S: Final = 0.2
"""Live work counts for so long after its end: the next records often follow soon."""


class LiveWork:
    """Knows whether live work is in progress, or has ended less than `QUIET_S` ago.

    `clock` returns seconds that never go back.
    """

    def __init__(self, is_busy: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_busy = is_busy
        self._clock = clock
        self._noted_at = -QUIET_S

    def note(self) -> None:
        """Note that live work has come or has ended."""
        self._noted_at = self._clock()

    def is_live(self) -> bool:
        """Return True if live work is in progress or was a moment ago."""
        return self._is_busy() or self._clock() - self._noted_at < QUIET_S
