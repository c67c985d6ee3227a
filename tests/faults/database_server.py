"""A PostgreSQL of the test that it can stop, kill and start again, with the same data and port."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from faults.installation import PREPARE
from harness.fault_journal import JOURNAL

from didflow.embedded.databases import create_service_databases
from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder

_KILL_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(kw_only=True)
class DatabaseServer:
    """One server over several starts. Data and port stay the same."""

    folder: Path
    running: EmbeddedPostgres

    async def databases(self, services: Iterable[str]) -> dict[str, str]:
        """Create the migrated databases of these services: service -> DSN."""
        made = await create_service_databases(self.running.dsn, services)
        for name, database in made.items():
            await PREPARE[name](database.owner_dsn)
        return {name: database.dsn for name, database in made.items()}

    async def stop(self) -> None:
        """Stop the server in order. Its sessions are rolled back."""
        JOURNAL.begin("database stopped", "database")
        await self.running.stop()

    async def kill(self) -> None:
        """Kill the server with SIGKILL. It must recover at its next start."""
        JOURNAL.begin("database killed", "database")
        await self.running.child.kill()
        self.running.lock.close()

    async def start(self) -> None:
        """Start the server again."""
        self.running = await EmbeddedPostgres.start(self.folder, port=self.running.port)
        JOURNAL.lift("database")

    async def kill_connections(self) -> int:
        """End every session, as an administrator can. Return their count."""
        connection = await asyncpg.connect(self.running.dsn)
        try:
            killed = int(await connection.fetchval(_KILL_ALL))
            JOURNAL.once("connections killed", "database")
            return killed
        finally:
            await connection.close()


@asynccontextmanager
async def database_server(*, in_memory: bool = True) -> AsyncIterator[DatabaseServer]:
    """Run a server for the duration of the block. Its commits are durable, on a disk or on one in memory."""
    with temporary_folder(in_memory=in_memory) as scratch:
        folder = scratch / "postgres"
        server = DatabaseServer(folder=folder, running=await EmbeddedPostgres.start(folder))
        try:
            yield server
        finally:
            await asyncio.shield(server.running.stop())
