"""A whole didflow on the machine's servers: four workers and the carrier simulator as processes, and a reader."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer
from harness.topics import create_topics

from bench.machine import Machine
from bench.rounds import Tell
from didflow.idle import IdleCheck, idle_check
from didflow.servers import Wanted
from didflow.services import SERVICES
from didflow.stack import Stack, running
from didflow_chassis.settings import Settings
from didflow_contracts.events import DidActivated

PREFIX = "flow."
PATIENCE_S = 300.0
TAKEN = "SELECT count(*) FROM inbox WHERE decision <> 'published'"


@dataclass(kw_only=True)
class ActivationReader:
    """Records when each number was activated, by the clock of this process."""

    consumer: AIOKafkaConsumer
    heard: dict[bytes, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Read until cancelled."""
        while True:
            found = await self.consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for records in found.values():
                for record in records:
                    self.heard.setdefault(record.key, now)
            self._news.set()

    async def wait(self, count: int) -> None:
        """Wait until this many numbers are activated. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()


@dataclass(frozen=True, kw_only=True)
class WholeStack:
    """A running stack and its readers."""

    kafka: str
    stack: Stack
    quiet: IdleCheck
    databases: Mapping[str, Any]
    listener: ActivationReader

    def worked(self) -> float:
        """Return the processor time of the workers and the simulator so far, in seconds."""
        processes = map(psutil.Process, self.stack.supervisor.pids.values())
        return sum(used.user + used.system for used in (each.cpu_times() for each in processes))

    async def taken(self) -> dict[str, int]:
        """Return the number of messages that each service has taken so far."""
        return {name: await connection.fetchval(TAKEN) for name, connection in self.databases.items()}


@asynccontextmanager
async def whole_stack(machine: Machine, tell: Tell) -> AsyncIterator[WholeStack]:
    """Start everything and stop it at the end of the block."""
    os.environ["DIDFLOW_TOPIC_PREFIX"] = PREFIX
    folder = machine.folder / "stack"
    folder.mkdir(exist_ok=True)
    await create_topics(machine.kafka, [PREFIX + DidActivated.topic])
    wanted = Wanted(kafka=machine.kafka, postgres=machine.admin_dsn)
    async with running(wanted, folder, tell=tell, port=0) as stack:
        settings = Settings(
            kafka=machine.kafka, postgres=machine.admin_dsn, topic_prefix=PREFIX, production=False
        )
        databases = {name: await asyncpg.connect(stack.servers.postgres[name]) for name in SERVICES}
        consumer = AIOKafkaConsumer(
            PREFIX + DidActivated.topic,
            bootstrap_servers=machine.kafka,
            group_id=None,
            fetch_max_wait_ms=50,
            auto_offset_reset="latest",
        )
        await consumer.start()
        listener = ActivationReader(consumer=consumer)
        listening = asyncio.create_task(listener.listen())
        try:
            async with idle_check(settings, stack.servers.postgres) as quiet:
                yield WholeStack(
                    kafka=machine.kafka, stack=stack, quiet=quiet, databases=databases, listener=listener
                )
        finally:
            listening.cancel()
            await consumer.stop()
            for connection in databases.values():
                await connection.close()
