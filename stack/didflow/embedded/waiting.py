"""Waiting for a fact with a deadline: the one way here to wait for another process."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

_STEP_SECONDS = 0.01

T = TypeVar("T")


class NotInTimeError(TimeoutError):
    """A fact that was waited for did not come true before its deadline."""

    code = "not-in-time"


async def until(condition: Callable[[], T | Awaitable[T]], *, within: float, what: str) -> T:
    """Return the first truthy answer of `condition`, asked again every 10 ms.

    `within` is in seconds, `what` says in the error what was waited for. Raises NotInTimeError.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        answer = condition()
        value: T = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if loop.time() >= deadline:
            raise NotInTimeError(f"{what}: not within {within:g} s")
        await asyncio.sleep(_STEP_SECONDS)
