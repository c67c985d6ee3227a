"""Calls to a carrier that only wait for their limits."""

import asyncio

from didflow_adapters.kit.call_limits import CallLimits


async def starts(limits: CallLimits, calls: int) -> list[float]:
    """Begin calls at once, and return when each of them began, as the loop's time."""
    loop, began = asyncio.get_running_loop(), list[float]()

    async def call() -> None:
        async with limits.call():
            began.append(loop.time())

    await asyncio.gather(*(call() for _ in range(calls)))
    return began
