"""Waiting for a fact with a deadline: the one way here to wait for another process."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

_STEP_SECONDS = 0.01

T = TypeVar("T")


class DeadlineMissedError(TimeoutError):
    """A fact that was waited for did not come true before its deadline."""

    code = "deadline_missed"


@overload
async def until(condition: Callable[[], Awaitable[T]], *, within: float, what: str) -> T: ...


@overload
async def until(condition: Callable[[], T], *, within: float, what: str) -> T: ...


async def until(condition: Callable[[], Any], *, within: float, what: str) -> Any:
    """Return the first truthy answer of `condition`, asked again every 10 ms.

    `within` is in seconds, `what` says in the error what was waited for. Raises DeadlineMissedError.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if loop.time() >= deadline:
            raise DeadlineMissedError(f"{what}: not within {within:g} s")
        await asyncio.sleep(_STEP_SECONDS)
