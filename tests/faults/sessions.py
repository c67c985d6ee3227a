"""What the sessions of a service's database show. A test uses it to inject a fault at the right moment."""

from typing import Any, Final

import asyncpg
from harness.processes import until

OUTBOX: Final = "SELECT count(*) FROM outbox"
IN_HAND: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE '%-worker' AND state = 'idle in transaction'
"""
"""How many workers are in the middle of a transaction."""

RELAY_HAS_READ: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE '%-relay' AND state = 'idle'
    AND query LIKE 'SELECT id, topic%' AND query_start > (SELECT min(created_at) FROM outbox)
"""
"""How many relays have read rows that still lie in the outbox."""


async def asked(dsn: str, question: str, *values: Any) -> Any:
    """Run one query on a database."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question, *values)
    finally:
        await connection.close()


async def until_so(dsn: str, question: str, *, within: float, what: str) -> None:
    """Wait until a query on a database returns something. Raises DeadlineMissedError."""

    async def so() -> bool:
        return bool(await asked(dsn, question))

    await until(so, within=within, what=what)
