"""Databases as the services migrate them, with the accounts that the purchases name."""

from collections.abc import Awaitable, Callable
from functools import cache

import asyncpg
from harness.migrations import migration_of

from bench.holdings import REGISTERED, registered
from bench.purchases import ACCOUNTS, numbers

ACCOUNT = """
INSERT INTO accounts (path, name, kind, allow_external_numbers, may_set_prices, created_at, version)
SELECT p, p, 'reseller', false, true, now(), 1 FROM unnest($1::text[]) AS u (p)
"""


@cache
def prepared(name: str, dids: int = 0) -> Callable[[str], Awaitable[None]]:
    """Return the function that prepares an empty database for a service; see `fill`."""

    async def prepare(dsn: str) -> None:
        await migration_of(name)(dsn)
        await fill(dsn, name, dids)

    return prepare


async def fill(dsn: str, name: str, dids: int = 0) -> None:
    """Write what the events of the bench name. In provisioning, so many DIDs are purchased and registered."""
    connection = await asyncpg.connect(dsn)
    try:
        if name == "inventory":
            await connection.execute(ACCOUNT, list(ACCOUNTS))
        if name == "provisioning" and dids:
            await connection.execute(REGISTERED, *registered(list(numbers(dids))))
            await connection.execute("VACUUM ANALYZE routings")
    finally:
        await connection.close()
