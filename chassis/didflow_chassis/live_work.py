"""Whether a worker has live work: records that were polled, in progress or a moment ago.

Background work takes most of the time of a worker that has none (`pacing`).
"""

import time
from collections.abc import Callable
from typing import Final

QUIET_S: Final = 0.2
"""Live work counts for so long after its end: the next records often follow soon."""
CALM_S: Final = 5.0
"""A worker without live work for so long is calm. Even one with a record each second never is."""


class LiveWork:
    """Knows whether live work is in progress, and how long ago it ended.

    `clock` returns seconds that never go back.
    """

    def __init__(self, is_busy: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_busy = is_busy
        self._clock = clock
        self._noted_at = -CALM_S

    def note(self) -> None:
        """Note that live work has come or has ended."""
        self._noted_at = self._clock()

    def is_live(self) -> bool:
        """Return True if live work is in progress or was a moment ago."""
        return not self._has_rested(QUIET_S)

    def is_calm(self) -> bool:
        """Return True if there was no live work for `CALM_S`, or none since the worker started."""
        return self._has_rested(CALM_S)

    def _has_rested(self, seconds: float) -> bool:
        return not self._is_busy() and self._clock() - self._noted_at >= seconds
