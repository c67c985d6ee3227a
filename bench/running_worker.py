"""The worker of a service as in production (consumer, stage, relay, timers, health), run in this process."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from bench.variant import Run
from didflow.services import service, settings_class
from didflow_chassis.processes import run_worker


@dataclass(frozen=True, kw_only=True)
class RunningWorker:
    """A worker, and a connection to its database. `at_start` is what was read before the worker started."""

    connection: Any
    at_start: Any
    task: asyncio.Task[None]

    async def wait_while(self, is_busy: Callable[[], Awaitable[bool]], look_s: float) -> None:
        """Ask every `look_s` seconds until it is not busy any more. Raises what the worker raised."""
        while await is_busy():
            if self.task.done():
                self.task.result()
            await asyncio.sleep(look_s)


@asynccontextmanager
async def running_worker(run: Run, at_start: str, **settings: Any) -> AsyncIterator[RunningWorker]:
    """Read a value with the statement `at_start`, then run the worker for the duration of the block."""
    own = settings_class(run.service)(
        kafka=run.kafka,
        postgres=run.dsn,
        topic_prefix=run.prefix,
        production=False,
        health_port=0,
        **settings,
    )
    connection = await asyncpg.connect(run.dsn)
    try:
        value = await connection.fetchval(at_start)
        task = asyncio.create_task(run_worker(service(run.service, own), own))
        try:
            yield RunningWorker(connection=connection, at_start=value, task=task)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await task
    finally:
        await connection.close()
