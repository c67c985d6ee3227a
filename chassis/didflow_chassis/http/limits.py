"""How large a body may be, and how many requests one caller may send."""

import math
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from didflow_chassis.http.problems import Problem

MAX_BODY = 2 * 1024 * 1024
PRUNE_AT = 10_000
ROUNDING = 1e-6


class BodyLimit:
    """ASGI middleware that raises Problem `body_too_large`. `larger` maps single paths to their own limits.

    The body is counted while it arrives, so a wrong Content-Length changes nothing.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int = MAX_BODY, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process the request with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    total = 0

    async def counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise _too_large(limit)
        return message

    return counting


def _too_large(limit: int) -> Problem:
    return Problem(
        "body_too_large", f"Send a body of at most {limit} bytes.", headers={"Connection": "close"}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """`per_second` requests sustained, `burst` requests at once."""

    per_second: float = 50
    burst: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """`remaining` requests are allowed now. If this request is refused, the next is allowed in `wait` seconds."""

    remaining: int
    wait: float = 0.0

    @property
    def refused(self) -> bool:
        """Return True if the request is refused."""
        return self.wait > 0


class Buckets:
    """The rate limit of each caller, in the memory of this process. A refused request was never processed.

    A bucket is stored as the instant at which it will be full again.
    Source: design reliability, Limits we offer.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        self._prune_at = PRUNE_AT

    def take(self, caller: Hashable) -> Allowance:
        """Take one request out of the caller's bucket, if one is left."""
        now = self._clock()
        cost = 1 / self.rate.per_second
        full_at = max(self._full_at.get(caller, now), now) + cost
        excess = full_at - now - self.rate.burst * cost
        if excess > cost * ROUNDING:
            return Allowance(remaining=0, wait=excess)
        self._full_at[caller] = full_at
        self._prune(now)
        return Allowance(remaining=max(0, int(self.rate.burst - (full_at - now) / cost + ROUNDING)))

    def headers(self, allowance: Allowance) -> dict[str, str]:
        """Return the `RateLimit` headers, and `Retry-After` for a refused request, in whole seconds."""
        window = math.ceil(self.rate.burst / self.rate.per_second)
        reset = math.ceil(allowance.wait) or 1
        headers = {
            "RateLimit-Policy": f'"caller";q={self.rate.burst};w={window}',
            "RateLimit": f'"caller";r={allowance.remaining};t={reset}',
        }
        return {**headers, "Retry-After": str(reset)} if allowance.refused else headers

    def _prune(self, now: float) -> None:
        if len(self._full_at) < self._prune_at:
            return
        self._full_at = {caller: at for caller, at in self._full_at.items() if at > now}
        self._prune_at = max(PRUNE_AT, 2 * len(self._full_at))
