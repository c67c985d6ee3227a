"""Queries about the sessions of a service's database. A test uses them to inject a fault at the right moment."""

from typing import Any, Final

import asyncpg
from harness.processes import until

OUTBOX: Final = "SELECT count(*) FROM outbox"
IN_TRANSACTION: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE '%-worker' AND state = 'idle in transaction'
"""
"""The number of workers that are in a transaction."""

RELAY_HAS_READ: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE '%-relay' AND state = 'idle'
    AND query LIKE 'SELECT id, topic%' AND query_start > (SELECT min(created_at) FROM outbox)
"""
"""The number of relays that have read rows which are still in the outbox."""


async def query(dsn: str, statement: str, *values: Any) -> Any:
    """Run one query on a database."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def until_true(dsn: str, statement: str, *, within: float, what: str) -> None:
    """Wait until a query on a database returns a true value. Raises DeadlineMissedError."""

    async def is_true() -> bool:
        return bool(await query(dsn, statement))

    await until(is_true, within=within, what=what)
