"""How fast one caller may ask: a bucket for each, kept in this process. A refused request was never processed.

Source: design reliability, Limits we offer.
"""

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

PRUNE_AT = 10_000
ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """`per_second` sustained, `burst` at once."""

    per_second: float = 50
    burst: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What is left: `remaining` requests now; `wait` seconds until the next one where this one is refused."""

    remaining: int
    wait: float = 0.0

    @property
    def refused(self) -> bool:
        """Whether the request may not be processed."""
        return self.wait > 0


class Buckets:
    """One bucket for each caller, as the instant at which it will be full again."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        self._prune_at = PRUNE_AT

    def take(self, who: Hashable) -> Allowance:
        """Take one request out of a caller's bucket, if there is one."""
        now = self._clock()
        cost = 1 / self.rate.per_second
        full_at = max(self._full_at.get(who, now), now) + cost
        short = full_at - now - self.rate.burst * cost
        if short > cost * ROUNDING:
            return Allowance(remaining=0, wait=short)
        self._full_at[who] = full_at
        self._prune(now)
        return Allowance(remaining=max(0, int(self.rate.burst - (full_at - now) / cost + ROUNDING)))

    def headers(self, allowance: Allowance) -> dict[str, str]:
        """Write the `RateLimit` headers, and `Retry-After` for a refused request, in whole seconds."""
        window = math.ceil(self.rate.burst / self.rate.per_second)
        reset = math.ceil(allowance.wait) or 1
        said = {
            "RateLimit-Policy": f'"caller";q={self.rate.burst};w={window}',
            "RateLimit": f'"caller";r={allowance.remaining};t={reset}',
        }
        return {**said, "Retry-After": str(reset)} if allowance.refused else said

    def _prune(self, now: float) -> None:
        if len(self._full_at) < self._prune_at:
            return
        self._full_at = {who: at for who, at in self._full_at.items() if at > now}
        self._prune_at = max(PRUNE_AT, 2 * len(self._full_at))
