"""One database and one role for each service, on any PostgreSQL. A role can connect only to its own database."""

import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_PREFIX: Final = "didflow_"
_LOCK: Final = 0x0D1D_F10E
_ROLE_LIMITS: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


async def create_service_databases(admin_dsn: str, services: Iterable[str]) -> dict[str, str]:
    """Create the missing `didflow_<service>` databases and roles. Return service -> DSN of its role.

    The admin needs CREATEDB and CREATEROLE. Each call sets new random passwords: open sessions stay, but an older
    DSN is no longer valid. Raises asyncpg.PostgresError if the admin lacks a right.
    """
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        return {service: await _make(connection, admin_dsn, f"{_PREFIX}{service}") for service in services}
    finally:
        await connection.close()


async def _make(connection: asyncpg.Connection, admin_dsn: str, name: str) -> str:
    password = secrets.token_hex(16)
    await make_role(connection, name, password)
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
        await connection.execute(f"CREATE DATABASE {quoted(name)} OWNER {quoted(name)}")
    await close_to_public(connection, name)
    return dsn_of(admin_dsn, role=name, password=password, database=name)


async def make_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    """Create the role if it does not exist, set its password, and make the admin a member of it.

    `password` is hexadecimal.
    """
    exists = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role)
    verb = "ALTER" if exists else "CREATE"
    limits = "" if exists else _ROLE_LIMITS
    await connection.execute(f"{verb} ROLE {quoted(role)} {limits} PASSWORD '{password}'")
    # An admin that is not a superuser can give a database only to a role that it is a member of.
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await connection.execute(f"GRANT {quoted(role)} TO CURRENT_USER")


async def close_to_public(connection: asyncpg.Connection, database: str) -> None:
    """Revoke all rights of PUBLIC: only the owner may connect or create temporary tables."""
    await connection.execute(f"REVOKE ALL ON DATABASE {quoted(database)} FROM PUBLIC")


def dsn_of(admin_dsn: str, *, role: str, password: str, database: str) -> str:
    """Return the admin's DSN with another role and database. Host, port and options stay the same."""
    parts = urlsplit(admin_dsn)
    hosts = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{hosts}", path=f"/{database}"))


def quoted(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
