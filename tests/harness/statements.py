"""The statements that a database gets, for tests that count them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from didflow_chassis.database import Database


@asynccontextmanager
async def statements_of(database: Database) -> AsyncIterator[list[str]]:
    """Collect the statements of all connections that are used in the block."""
    found: list[str] = []

    def add(query: Any) -> None:
        is_own = "typeinfo" in query.query or "current_setting" in query.query
        if not is_own:  # the driver asks once for the types of a new connection
            found.append(query.query)

    connections = [await database.pool.acquire() for _ in range(20)]
    for connection in connections:
        connection._con.add_query_logger(add)
        await database.pool.release(connection)
    yield found
    await asyncio.sleep(0)  # the driver reports each statement a turn later
