"""Waits for a condition with a deadline. This is the only way in which the stack waits for another process."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

_STEP_SECONDS = 0.01

T = TypeVar("T")


class DeadlineMissedError(TimeoutError):
    """The condition was not true before the deadline."""

    code = "deadline_missed"


@overload
async def until(condition: Callable[[], Awaitable[T]], *, within: float, what: str) -> T: ...


@overload
async def until(condition: Callable[[], T], *, within: float, what: str) -> T: ...


async def until(condition: Callable[[], Any], *, within: float, what: str) -> Any:
    """Call `condition` every 10 ms and return its first true value.

    `within` is in seconds. `what` names the condition in the error. Raises DeadlineMissedError.
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
