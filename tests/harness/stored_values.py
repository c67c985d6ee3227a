"""Search of a whole database for values that it must not keep."""

from collections.abc import Iterable

import asyncpg


def told(text: str, secrets: Iterable[str]) -> set[str]:
    """Return the secrets that a text contains, in any case."""
    folded = text.casefold()
    return {secret for secret in secrets if secret.casefold() in folded}


async def tables_with(dsn: str, secrets: Iterable[str]) -> dict[str, set[str]]:
    """Return the tables of a database that have one of the secrets in any column, and which."""
    wanted = set(secrets)
    connection = await asyncpg.connect(dsn)
    try:
        names = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        found = {}
        for (name,) in names:
            rows = await connection.fetch(f'SELECT t::text AS row FROM "{name}" t')
            bare = " ".join(row["row"] for row in rows)
            found[name] = told(f"{bare} {_unhexed(bare)}", wanted)
    finally:
        await connection.close()
    return {name: secrets for name, secrets in found.items() if secrets}


def _unhexed(text: str) -> str:
    """Return the text of a row's bytes."""
    hexes = (part.rstrip('",)') for part in text.split("\\x")[1:])
    return " ".join(_bytes(part.split('"')[0].split(",")[0]) for part in hexes)


def _bytes(text: str) -> str:
    try:
        return bytes.fromhex(text).decode(errors="replace")
    except ValueError:
        return ""
