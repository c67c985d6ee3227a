"""The real Kafka and the real PostgreSQL that everything is measured on, both with their data on the disk.

MUST NOT be tuned for one variant: all of them meet the same servers, and commits are durable.
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
    """The database would lose what it has committed: nothing measured on it would count."""

    code = "not-durable"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What runs, and how long one durable commit takes here (seconds, median).

    `published` names the prefixes whose purchases lie on Kafka already.
    """

    kafka: str
    admin_dsn: str
    databases: TemplateDatabases
    folder: Path
    commit_s: float
    published: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def database(self, service: str, prepare: Callable[[str], Awaitable[None]]) -> AsyncIterator[str]:
        """Give the DSN of a fresh database of a service, as `prepare` makes it, for as long as the block lasts."""
        dsn = await self.databases.copy(service, prepare)
        try:
            await self.settle()
            yield dsn
        finally:
            await self.databases.drop(dsn)

    async def settle(self) -> None:
        """Let the server write what earlier rounds left behind, so that no round pays for another's pages."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


@asynccontextmanager
async def machine() -> AsyncIterator[Machine]:
    """Start both servers and end them with the block. Raises NotDurableError, or what a server's start raises."""
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
    """Check that commits are durable and return what one takes."""
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
