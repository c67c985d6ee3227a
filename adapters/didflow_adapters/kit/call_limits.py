"""How many calls to the carrier run at once, how many requests it gets in a second, and when none may begin.

A carrier counts a request when it arrives. This is an instant between the start of the request and its reply, which the
adapter does not know. So a request has a place from its start until one second after its reply, and no request begins
without a place. There are as many places as the carrier allows requests in a second. If there is no reply within
`headroom_s`, the request is treated as if the reply had come then. So the carrier counts no more requests in any second
than there are places. Requests also begin at equal intervals.

A process has the same part of the places as of all partitions, rounded down. A process that gets more partitions waits
until the requests of their former owner count no more. So all processes of one carrier together keep the rate, and
they do not communicate.

No library is used: libraries that limit a rate count starts and not arrivals, and their limit is fixed.
Source: docs/decisions/0014-places.md.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from math import ceil
from typing import Final

HEADROOM_S: Final = 0.5
"""The default time within which a carrier counts a request that it has not replied to."""
LONGEST_WAIT_S: Final = 30.0
"""A command waits this long for the end of a pause. If the pause is longer, the command fails as rate limited."""
LONGEST_PAUSE_S: Final = 600.0
"""The longest pause, whatever the carrier asks for."""


class CarrierPaused(Exception):
    """The carrier asked for a pause that is longer than a command waits. `seconds` are left of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The carrier asked to wait for another {ceil(seconds)} s.")
        self.seconds = ceil(seconds)


class _Places:
    """The places of this process. A place is free again `period_s` after its request was counted by the carrier.

    `rate_per_s` is that of all processes. In `period_s`, which is a second for a whole rate, the carrier allows
    `in_all` requests.
    """

    def __init__(self, rate_per_s: float, headroom_s: float) -> None:
        self.in_all = ceil(rate_per_s)
        self.period_s = self._whole_period_s = self.in_all / rate_per_s
        self._headroom_s = headroom_s
        self._count = self._taken = 0
        self._more: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    @property
    def interval_s(self) -> float:
        """The time between two starts."""
        return self.period_s / max(1, self._count)

    @property
    def is_one_free(self) -> bool:
        return self._taken < self._count

    async def changed(self) -> None:
        """Wait until a place may have become free."""
        self._changed.clear()
        await self._changed.wait()

    def set_part(self, assigned: int, partitions: int) -> None:
        """Set how many of all partitions this process has. Fewer places count at once, more of them later."""
        part = self.in_all * assigned / partitions
        count = int(part) if part >= 1 else min(assigned, 1)
        self.period_s = self._whole_period_s if part >= 1 or not assigned else self._whole_period_s / part
        if self._more is not None:
            self._more.cancel()
            self._more = None
        self._count = min(count, self._count)
        if count > self._count:
            after_s = self._whole_period_s + self._headroom_s
            self._more = asyncio.get_running_loop().call_later(after_s, self._set, count)

    def take(self) -> asyncio.TimerHandle:
        """Take a place for a request that begins now. It is free again when it counts no more."""
        self._taken += 1
        return asyncio.get_running_loop().call_later(self._headroom_s + self.period_s, self._free)

    def replied(self, place: asyncio.TimerHandle) -> None:
        """Note that the request of a place has been replied to."""
        free_at = asyncio.get_running_loop().time() + self.period_s
        if not place.cancelled() and free_at < place.when():
            place.cancel()
            asyncio.get_running_loop().call_at(free_at, self._free)

    def _set(self, count: int) -> None:
        self._count = count
        self._changed.set()

    def _free(self) -> None:
        self._taken -= 1
        self._changed.set()


class CallLimits:
    """The limits of the calls of this process to one carrier. `rate_per_s` is that of all processes; None: no limit.

    With a rate, no call begins before `set_part` has been called.
    """

    def __init__(
        self, concurrency: int, rate_per_s: float | None = None, headroom_s: float = HEADROOM_S
    ) -> None:
        self._places = _Places(rate_per_s, headroom_s) if rate_per_s else None
        self._running = asyncio.Semaphore(concurrency)
        self._lock = asyncio.Lock()
        self._next_at = 0.0
        self._paused_until = 0.0

    @property
    def paused_s(self) -> float:
        """The seconds until the carrier may be called again."""
        return max(0.0, self._paused_until - _now())

    def set_part(self, assigned: int, partitions: int) -> None:
        """Set how many of all partitions this process has. With none it has no command."""
        if self._places is not None:
            self._places.set_part(assigned, partitions)

    def pause(self, seconds: float) -> None:
        """Begin no call for this long. A pause that ends later goes on."""
        self._paused_until = max(self._paused_until, _now() + min(seconds, LONGEST_PAUSE_S))

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Wait until a call may begin, and count it while the block runs. Raises CarrierPaused."""
        async with self._running:
            call = _Call(self)
            await call.begin()
            token = _PRESENT.set(call)
            try:
                yield
            finally:
                _PRESENT.reset(token)
            call.end()  # not if the call was given up: its request may still be on its way

    async def place(self) -> asyncio.TimerHandle | None:
        """Wait until a request may begin, and take its place. Raises CarrierPaused."""
        async with self._lock:
            while True:
                if self.paused_s > LONGEST_WAIT_S:
                    raise CarrierPaused(self.paused_s)
                if (wait_s := max(self.paused_s, self._next_at - _now())) > 0:
                    await asyncio.sleep(wait_s)
                elif self._places is not None and not self._places.is_one_free:
                    await self._places.changed()
                else:
                    break
            if self._places is None:
                return None
            self._next_at = _now() + self._places.interval_s
            return self._places.take()

    def replied(self, place: asyncio.TimerHandle | None) -> None:
        """Note that the request of a place is over."""
        if self._places is not None and place is not None:
            self._places.replied(place)


class _Call:
    """The requests of one call, one after another."""

    def __init__(self, limits: CallLimits) -> None:
        self._limits = limits
        self._place: asyncio.TimerHandle | None = None
        self._is_unused = True

    async def begin(self) -> None:
        """Take the place of the first request."""
        self._place = await self._limits.place()

    async def before_request(self) -> None:
        """Take a place for another request, unless this is the first one."""
        if self._is_unused:
            self._is_unused = False
            return
        self.end()
        self._place = await self._limits.place()

    def end(self) -> None:
        """The last request is over."""
        self._limits.replied(self._place)
        self._place = None


_PRESENT: Final[ContextVar[_Call | None]] = ContextVar("present_call", default=None)


async def before_request() -> None:
    """Wait until the carrier's method may send its next request. The first one of a call need not wait.

    A method that sends several requests, one after another, calls this before each of them. Raises CarrierPaused, which
    the method must not catch.
    """
    call = _PRESENT.get()
    if call is not None:
        await call.before_request()


def _now() -> float:
    return asyncio.get_running_loop().time()
