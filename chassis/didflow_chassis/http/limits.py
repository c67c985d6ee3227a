"""How many requests a caller, an account and a network without an accepted token may send.

The limits are in the memory of one process. A refused request was never processed.
Source: design reliability, Limits we offer; spec http.
"""

import math
import time
from collections.abc import Callable, Hashable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Final

from didflow_chassis.http.problems import Problem

PRUNE_AT: Final = 10_000
MOST_BUCKETS: Final = 100_000
"""No more buckets than this are in memory. Beyond it, the fullest are forgotten."""

ACCOUNT_FACTOR: Final = 4
"""How many times the limit of one caller an account has, however many subjects it has."""

ROUNDING: Final = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """`per_second` requests sustained, `burst` requests at once."""

    per_second: float = 50
    burst: int = 200

    def times(self, factor: int) -> "Rate":
        """Return a multiple of the rate."""
        return Rate(per_second=self.per_second * factor, burst=self.burst * factor)


FAILURES: Final = Rate(per_second=10, burst=100)
"""How many requests without an accepted token one network may send."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """`remaining` requests are allowed now. If this request is refused, the next is allowed in `wait` seconds."""

    remaining: int
    wait: float = 0.0

    @property
    def refused(self) -> bool:
        """Return True if the request is refused."""
        return self.wait > 0

    def untaken(self) -> "Allowance":
        """Return the allowance if this request takes nothing, because another limit refuses it."""
        return self if self.refused else Allowance(remaining=self.remaining + 1)


class Buckets:
    """One bucket for each key. A bucket is stored as the instant at which it will be full again.

    `name` is what the limit is called in `RateLimit` headers.
    """

    def __init__(
        self, rate: Rate, clock: Callable[[], float] = time.monotonic, *, name: str = "caller"
    ) -> None:
        self.rate = rate
        self.name = name
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        self._prune_at = PRUNE_AT

    def look(self, key: Hashable) -> Allowance:
        """Return what `take` would return, and take nothing."""
        return self._next(key, self._clock())[0]

    def take(self, key: Hashable) -> Allowance:
        """Take one request out of a bucket, if one is left."""
        now = self._clock()
        allowance, full_at = self._next(key, now)
        if not allowance.refused:
            self._full_at[key] = full_at
            self._prune(now)
        return allowance

    def _next(self, key: Hashable, now: float) -> tuple[Allowance, float]:
        """Return the allowance of the next request, and when the bucket is full again after it."""
        cost = 1 / self.rate.per_second
        full_at = max(self._full_at.get(key, now), now) + cost
        excess = full_at - now - self.rate.burst * cost
        if excess > cost * ROUNDING:
            return Allowance(remaining=0, wait=excess), full_at
        left = int(self.rate.burst - (full_at - now) / cost + ROUNDING)
        return Allowance(remaining=max(0, left)), full_at

    def _prune(self, now: float) -> None:
        if len(self._full_at) < self._prune_at:
            return
        used = {key: at for key, at in self._full_at.items() if at > now}
        if len(used) > MOST_BUCKETS // 2:
            used = dict(sorted(used.items(), key=lambda item: item[1])[-MOST_BUCKETS // 2 :])
        self._full_at = used
        self._prune_at = max(PRUNE_AT, 2 * len(used))


class Limits:
    """The limits of one API process: of each caller, of each account, and of failed authentications by network.

    `rate` is that of one caller. An account has `ACCOUNT_FACTOR` times as much, so that an account with many subjects
    leaves the share of the others alone.
    """

    def __init__(
        self, rate: Rate, failures: Rate = FAILURES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._callers = Buckets(rate, clock, name="caller")
        self._accounts = Buckets(rate.times(ACCOUNT_FACTOR), clock, name="account")
        self._failures = Buckets(failures, clock, name="address")

    def take(self, account: str, subject: str, headers: MutableMapping[str, str]) -> None:
        """Count a request of a caller and write the headers of its answer. Raises Problem `rate_exceeded`.

        A request that one of the two limits refuses takes nothing from the other.
        """
        places: tuple[tuple[Buckets, Hashable], ...] = (
            (self._callers, (account, subject)),
            (self._accounts, account),
        )
        found = [(buckets, buckets.look(key)) for buckets, key in places]
        if any(allowance.refused for _, allowance in found):
            headers.update(rate_headers((buckets, allowance.untaken()) for buckets, allowance in found))
            raise _exceeded()
        headers.update(rate_headers(found))
        for buckets, key in places:
            buckets.take(key)

    def check_failures(self, place: Hashable, headers: MutableMapping[str, str]) -> None:
        """Raise Problem `rate_exceeded` if the bucket of failures is empty. Nothing is counted."""
        self._refuse(self._failures.look(place), headers)

    def count_failure(self, place: Hashable, headers: MutableMapping[str, str]) -> None:
        """Count a request without an accepted token. Raises Problem `rate_exceeded` if the bucket was empty."""
        self._refuse(self._failures.take(place), headers)

    def _refuse(self, allowance: Allowance, headers: MutableMapping[str, str]) -> None:
        if allowance.refused:
            headers.update(rate_headers([(self._failures, allowance)]))
            raise _exceeded()


def _exceeded() -> Problem:
    return Problem("rate_exceeded", "Nothing was done. Try again after the time in Retry-After.")


def rate_headers(found: Iterable[tuple[Buckets, Allowance]]) -> dict[str, str]:
    """Return the `RateLimit` headers of some limits. A refused request also has `Retry-After`, in whole seconds."""
    policies, limits, wait = [], [], 0
    for buckets, allowance in found:
        rate = buckets.rate
        reset = math.ceil(allowance.wait) or 1
        policies.append(f'"{buckets.name}";q={rate.burst};w={math.ceil(rate.burst / rate.per_second)}')
        limits.append(f'"{buckets.name}";r={allowance.remaining};t={reset}')
        wait = max(wait, reset if allowance.refused else 0)
    headers = {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}
    return {**headers, "Retry-After": str(wait)} if wait else headers
