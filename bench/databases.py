"""Databases as the services migrate them, with the accounts that the purchases name."""

from collections.abc import Awaitable, Callable
from functools import cache

import asyncpg
from harness.migrations import migration_of

from bench.purchases import ACCOUNTS

ACCOUNT = """
INSERT INTO accounts (path, name, kind, allow_external_numbers, may_set_prices, created_at, version)
SELECT p, p, 'reseller', false, true, now(), 1 FROM unnest($1::text[]) AS u (p)
"""


@cache
def prepared(name: str) -> Callable[[str], Awaitable[None]]:
    """Return the function that prepares an empty database for a service."""

    async def prepare(dsn: str) -> None:
        await migration_of(name)(dsn)
        if name == "inventory":
            connection = await asyncpg.connect(dsn)
            try:
                await connection.execute(ACCOUNT, list(ACCOUNTS))
            finally:
                await connection.close()

    return prepare
