"""The real Kafka and the real PostgreSQL of all measurements, both with their data on disk.

These servers MUST NOT be tuned for one variant. All variants use the same servers, and commits are durable.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from harness.broker import Broker
from harness.kafka_docker import DockerBroker, docker_answers
from harness.kafka_java import LASTING, JavaBroker
from harness.postgres import TemplateDatabases

from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class NotDurableError(RuntimeError):
    """The database could lose committed rows, so its figures would be worthless."""

    code = "not-durable"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The servers, and the median time of one durable commit in seconds.

    `published` has the prefixes whose purchases are already on Kafka.
    """

    kafka: str
    admin_dsn: str
    databases: TemplateDatabases
    folder: Path
    commit_s: float
    published: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def database(self, service: str, prepare: Callable[[str], Awaitable[None]]) -> AsyncIterator[str]:
        """Return the DSN of a new database of a service, prepared by `prepare`, for the duration of the block."""
        dsn = await self.databases.copy(service, prepare)
        try:
            await self.settle()
            yield dsn
        finally:
            await self.databases.drop(dsn)

    async def settle(self) -> None:
        """Let the server write the pages of earlier rounds, so that no round pays for another one."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


@asynccontextmanager
async def machine() -> AsyncIterator[Machine]:
    """Start both servers and stop them at the end of the block. Raises NotDurableError and the servers' errors."""
    with temporary_folder() as folder:
        places = {name: folder / name for name in ("kafka", "postgres")}
        for place in places.values():
            place.mkdir()
        async with await EmbeddedPostgres.start(places["postgres"], durable=True) as postgres:
            broker = await _broker(places["kafka"])
            try:
                yield Machine(
                    kafka=broker.bootstrap,
                    admin_dsn=postgres.dsn,
                    databases=TemplateDatabases(admin_dsn=postgres.dsn),
                    folder=folder,
                    commit_s=await _durable_commit(postgres.dsn),
                )
            finally:
                await broker.remove()


async def _broker(folder: Path) -> Broker:
    if await asyncio.to_thread(docker_answers):
        return await DockerBroker.create()
    return await JavaBroker.create(folder, jvm=LASTING)


async def _durable_commit(dsn: str) -> float:
    """Check that commits are durable and return the time of one."""
    connection = await asyncpg.connect(dsn)
    try:
        for setting in DURABLE:
            if await connection.fetchval("SELECT current_setting($1)", setting) != "on":
                raise NotDurableError(f"{setting} is off")
        await connection.execute("CREATE TABLE bench_commit (at timestamptz)")
        took = []
        for _ in range(50):
            started = time.perf_counter()
            await connection.execute("INSERT INTO bench_commit VALUES (now())")
            took.append(time.perf_counter() - started)
        return sorted(took)[len(took) // 2]
    finally:
        await connection.close()
