"""The carrier's limit of requests: the requests of the last second count."""

import time
from collections import deque


class RequestWindow:
    """Counts requests. At most `rate_per_s` of them are served in any second; None means any number."""

    def __init__(self, rate_per_s: int | None) -> None:
        self._rate_per_s = rate_per_s
        self._served: deque[float] = deque()
        self._asked: deque[float] = deque()
        self.served = 0
        self.refused = 0
        self.most_asked_in_a_second = 0

    def wait_s(self) -> float | None:
        """Count a request. Return None if it is served, else the seconds until one would be."""
        now = time.monotonic()
        for times in (self._served, self._asked):
            while times and times[0] <= now - 1:
                times.popleft()
        self._asked.append(now)
        self.most_asked_in_a_second = max(self.most_asked_in_a_second, len(self._asked))
        if self._rate_per_s is not None and len(self._served) >= self._rate_per_s:
            self.refused += 1
            return self._served[0] + 1 - now
        self._served.append(now)
        self.served += 1
        return None
