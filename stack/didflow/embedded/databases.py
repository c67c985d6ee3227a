"""One database for each service, on any PostgreSQL, with three roles that can connect to no other database.

`<role>_owner` migrates and owns the tables, `<role>` is the service's own, and `<role>_reader` is what HTTP reads as.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from didflow_chassis.grants import Roles, quoted

_PREFIX: Final = "didflow_"
_OWNER: Final = "_owner"
_READER: Final = "_reader"
_LOCK: Final = 0x0D1D_F10E
_ROLE_LIMITS: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


@dataclass(frozen=True, kw_only=True)
class ServiceDatabase:
    """The DSNs of a service's database: of the service's own role, and of the role that migrates."""

    dsn: str = field(repr=False)
    owner_dsn: str = field(repr=False)


def reader_of(dsn: str) -> str:
    """Return the role as which a service reads for HTTP. `dsn` is that of the service's own role."""
    return f"{urlsplit(dsn).username}{_READER}"


def roles_of(owner_dsn: str) -> Roles | None:
    """Return the roles that a migration grants rights to, or None if the role of the DSN is not an owner's."""
    owner = urlsplit(owner_dsn).username or ""
    if not owner.endswith(_OWNER):
        return None
    role = owner.removesuffix(_OWNER)
    return Roles(service=role, reader=role + _READER, movable_clock=True)


async def create_service_databases(admin_dsn: str, services: Iterable[str]) -> dict[str, ServiceDatabase]:
    """Create the missing `didflow_<service>` databases and roles. Return service -> its DSNs.

    The admin needs CREATEDB and CREATEROLE. Each call sets new random passwords: open sessions stay, but an older
    DSN is no longer valid. Raises asyncpg.PostgresError if the admin lacks a right.
    """
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        return {service: await _make(connection, admin_dsn, f"{_PREFIX}{service}") for service in services}
    finally:
        await connection.close()


async def _make(connection: asyncpg.Connection, admin_dsn: str, name: str) -> ServiceDatabase:
    password = secrets.token_hex(16)
    await make_roles(connection, name, password)
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
        await connection.execute(f"CREATE DATABASE {quoted(name)} OWNER {quoted(name + _OWNER)}")
    await open_to_role(connection, name, name)
    return dsns_of(admin_dsn, role=name, password=password, database=name)


async def make_roles(connection: asyncpg.Connection, role: str, password: str) -> None:
    """Create the three roles of a service if they do not exist. The first two have the password."""
    await make_role(connection, role, password)
    await make_role(connection, role + _OWNER, password)
    reader = role + _READER
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", reader):
        await connection.execute(f"CREATE ROLE {quoted(reader)} NO{_ROLE_LIMITS}")
    await connection.execute(f"GRANT {quoted(reader)} TO {quoted(role)} WITH INHERIT FALSE, SET TRUE")


async def open_to_role(connection: asyncpg.Connection, database: str, role: str) -> None:
    """Let only a service's roles connect to a database. Only its owner may create anything there."""
    await close_to_public(connection, database)
    await connection.execute(f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(role)}")


def dsns_of(admin_dsn: str, *, role: str, password: str, database: str) -> ServiceDatabase:
    """Return the DSNs of both roles of a service."""
    own = dsn_of(admin_dsn, role=role, password=password, database=database)
    owner = dsn_of(admin_dsn, role=role + _OWNER, password=password, database=database)
    return ServiceDatabase(dsn=own, owner_dsn=owner)


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
