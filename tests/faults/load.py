"""Steady loads: purchases at a rate, commands one after another. A load ends when everything sent is answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from faults.oracle import Oracle


@asynccontextmanager
async def loading(oracle: Oracle, *, every: float) -> AsyncIterator[None]:
    """Publish a purchase every so many seconds during the block. At the end, wait for the last acknowledgement."""
    sent: set[asyncio.Task[object]] = set()

    async def send() -> None:
        while True:
            sent.add(asyncio.create_task(oracle.purchase()))
            await asyncio.sleep(every)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(*sent)


@asynccontextmanager
async def repeating(wish: Callable[[], Awaitable[object]], *, at_once: int = 1) -> AsyncIterator[None]:
    """Repeat a change during the block. At the end, wait for the last answer."""
    over = asyncio.Event()

    async def go_on() -> None:
        while not over.is_set():
            await wish()

    tasks = [asyncio.create_task(go_on()) for _ in range(at_once)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)
