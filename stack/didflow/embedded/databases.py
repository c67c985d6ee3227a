"""One database and one role per service, on any PostgreSQL: a role owns its database and can enter no other's."""

import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_PREFIX: Final = "didflow_"
_LOCK: Final = 0x0D1D_F10E
_ROLE_LIMITS: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


async def create_service_databases(admin_dsn: str, services: Iterable[str]) -> dict[str, str]:
    """Make what is missing of `didflow_<service>` databases and roles; return service -> DSN of its role.

    The admin needs CREATEDB and CREATEROLE. Each call gives the roles new random passwords: sessions stay, but
    who kept an older DSN cannot connect again. Raises asyncpg.PostgresError when the admin may not.
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
    """Make the role unless it is there, set its password, and let the admin act for it.

    `password` is hexadecimal.
    """
    exists = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role)
    verb = "ALTER" if exists else "CREATE"
    limits = "" if exists else _ROLE_LIMITS
    await connection.execute(f"{verb} ROLE {quoted(role)} {limits} PASSWORD '{password}'")
    # Who is not a superuser may hand a database only to a role that it is a member of.
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await connection.execute(f"GRANT {quoted(role)} TO CURRENT_USER")


async def close_to_public(connection: asyncpg.Connection, database: str) -> None:
    """Leave the database to its owner: nobody else connects or makes temporary tables."""
    await connection.execute(f"REVOKE ALL ON DATABASE {quoted(database)} FROM PUBLIC")


def dsn_of(admin_dsn: str, *, role: str, password: str, database: str) -> str:
    """Return the admin's DSN with another role and database; host, port and options stay."""
    parts = urlsplit(admin_dsn)
    hosts = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{hosts}", path=f"/{database}"))


def quoted(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
