"""A PostgreSQL of the test's own that it may stop, kill and start again, with its data and on its port."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from faults.installation import PREPARE
from harness.broken import JOURNAL

from didflow.embedded.databases import create_service_databases
from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder

_KILL_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(kw_only=True)
class DatabaseServer:
    """One server through its lives; data and port stay."""

    folder: Path
    running: EmbeddedPostgres

    async def databases(self, services: Iterable[str]) -> dict[str, str]:
        """Make the databases of these services, ready to use: service -> DSN."""
        dsns = await create_service_databases(self.running.dsn, services)
        for name, dsn in dsns.items():
            await PREPARE[name](dsn)
        return dsns

    async def stop(self) -> None:
        """Stop it in order: sessions are rolled back and told."""
        JOURNAL.begin("database stopped", "database")
        await self.running.stop()

    async def kill(self) -> None:
        """End it as kill -9 would: it has to recover when it starts again."""
        JOURNAL.begin("database killed", "database")
        await self.running.child.kill()
        self.running.lock.close()

    async def start(self) -> None:
        """Start it again."""
        self.running = await EmbeddedPostgres.start(self.folder, port=self.running.port)
        JOURNAL.lift("database")

    async def kill_connections(self) -> int:
        """End every session, as an administrator can; returns how many."""
        connection = await asyncpg.connect(self.running.dsn)
        try:
            killed = int(await connection.fetchval(_KILL_ALL))
            JOURNAL.once("connections killed", "database")
            return killed
        finally:
            await connection.close()


@asynccontextmanager
async def database_server() -> AsyncIterator[DatabaseServer]:
    """Run a server for as long as the block does."""
    with temporary_folder(in_memory=True) as scratch:
        folder = scratch / "postgres"
        server = DatabaseServer(folder=folder, running=await EmbeddedPostgres.start(folder))
        try:
            yield server
        finally:
            await asyncio.shield(server.running.stop())
