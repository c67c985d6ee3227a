"""Steady loads: purchases at a fixed rate, and changes one after another. A load ends when all are answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from faults.recording_client import RecordingClient


@asynccontextmanager
async def steady_purchases(client: RecordingClient, *, every: float) -> AsyncIterator[None]:
    """Publish a purchase every `every` seconds during the block. At the end, wait for the last acknowledgement."""
    sent: set[asyncio.Task[object]] = set()

    async def send() -> None:
        while True:
            sent.add(asyncio.create_task(client.purchase()))
            await asyncio.sleep(every)

    sender = asyncio.create_task(send())
    try:
        yield
    finally:
        sender.cancel()
        await asyncio.gather(*sent)


@asynccontextmanager
async def repeated(change: Callable[[], Awaitable[object]], *, at_once: int = 1) -> AsyncIterator[None]:
    """Repeat a change during the block. At the end, wait for the last answer."""
    stopped = asyncio.Event()

    async def repeat() -> None:
        while not stopped.is_set():
            await change()

    tasks = [asyncio.create_task(repeat()) for _ in range(at_once)]
    try:
        yield
    finally:
        stopped.set()
        await asyncio.gather(*tasks)
