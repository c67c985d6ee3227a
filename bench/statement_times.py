"""What the statements of this process take at the database, as PostgreSQL reports it (`log_duration`)."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

import asyncpg

DURATION: Final = re.compile(r"^duration: ([0-9.]+) ms")


@dataclass(kw_only=True)
class StatementTimes:
    """Adds up what PostgreSQL says that its statements took, those of the stage and those of the reads."""

    ms: float = 0.0

    def watch(self) -> None:
        """Listen on all connections of this process. The pools of asyncpg forget listeners of single connections."""
        asyncpg.Connection._process_log_message = lambda _, fields, __: self._add(fields)  # noqa: SLF001

    def _add(self, fields: dict[str, str]) -> None:
        found = DURATION.search(fields.get("M", ""))
        self.ms += float(found[1]) if found else 0.0

    async def since(self, before: float) -> float:
        """Return how much was added since then. The driver passes on messages after the answer."""
        await asyncio.sleep(0.002)
        return self.ms - before


async def report_durations(admin_dsn: str, role: str) -> None:
    """Let PostgreSQL tell the sessions of a role how long each statement took."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(f"ALTER ROLE {role} SET log_duration = on")
        await connection.execute(f"ALTER ROLE {role} SET client_min_messages = log")
    finally:
        await connection.close()
