"""Databases of tests on one PostgreSQL. A template is prepared once for each service; each test gets copies of it."""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg

from didflow.embedded.databases import ServiceDatabase, dsns_of, make_roles, open_to_role, reader_of
from didflow_chassis.grants import quoted

Prepare = Callable[[str], Awaitable[None]]
"""Migrates an empty database, named by its DSN. Called once in a test run; must close its connections."""


@dataclass(kw_only=True)
class TemplateDatabases:
    """Creates and drops the databases of one test run. Each service has its own roles, as in production.

    The tables of a database that was not migrated belong to the role that uses it.
    """

    admin_dsn: str
    _passwords: dict[str, str] = field(default_factory=dict, repr=False)
    _templates: dict[tuple[str, Prepare], str] = field(default_factory=dict, repr=False)
    _migrated: set[str] = field(default_factory=set, repr=False)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count, repr=False)

    async def copy(self, service: str, prepare: Prepare | None = None) -> str:
        """Create a database for the service, a copy of the template that `prepare` made, and return its DSN.

        Without `prepare` the database is empty.
        """
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            role = await self._role(connection, service)
            template = "template0" if prepare is None else await self._template(connection, service, prepare)
            made = await self._create(connection, role, template)
            return made.dsn if template in self._migrated else made.owner_dsn
        finally:
            await connection.close()

    async def duplicate(self, service: str, dsn: str) -> str:
        """Create a database with the content of another one, which nobody may be connected to. Return its DSN."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            role = await self._role(connection, service)
            made = await self._create(connection, role, dsn.rpartition("/")[2])
            return made.dsn if urlsplit(dsn).username == role else made.owner_dsn
        finally:
            await connection.close()

    async def drop(self, dsn: str) -> None:
        """Drop a database that `copy` created. Open sessions are ended."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            name = dsn.rpartition("/")[2]
            await connection.execute(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
        finally:
            await connection.close()

    async def _template(self, connection: asyncpg.Connection, service: str, prepare: Prepare) -> str:
        known = self._templates.get((service, prepare))
        if known is not None:
            return known
        role = await self._role(connection, service)
        owner_dsn = (await self._create(connection, role, "template0")).owner_dsn
        await prepare(owner_dsn)
        name = self._templates[service, prepare] = owner_dsn.rpartition("/")[2]
        if await _is_migrated(owner_dsn, role):
            self._migrated.add(name)
        return name

    async def _create(self, connection: asyncpg.Connection, role: str, template: str) -> ServiceDatabase:
        name = f"{role}_{next(self._numbers)}"
        await connection.execute(
            f"CREATE DATABASE {quoted(name)} OWNER {quoted(owner_of(role))} TEMPLATE {quoted(template)}"
        )
        await open_to_role(connection, name, role)
        return dsns_of(self.admin_dsn, role=role, password=self._passwords[role], database=name)

    async def _role(self, connection: asyncpg.Connection, service: str) -> str:
        role = f"test_{service}"
        if role not in self._passwords:
            password = secrets.token_hex(16)
            await make_roles(connection, role, password)
            self._passwords[role] = password
        return role


def owner_of(role: str) -> str:
    """Return the role that owns the tables of a service. `role` is the service's own."""
    return f"{role}_owner"


def owner_dsn_of(dsn: str) -> str:
    """Return the DSN of the owner of a migrated database, for what the service's own role may not do."""
    role = urlsplit(dsn).username or ""
    return dsn.replace(f"//{role}:", f"//{owner_of(role)}:", 1)


def reader_for(dsn: str) -> str | None:
    """Return the role as which HTTP reads from the database of a test, or None if it was not migrated."""
    reader = reader_of(dsn)
    return None if reader.endswith("_owner_reader") else reader


async def _is_migrated(owner_dsn: str, role: str) -> bool:
    """True if migrations made the tables. The service's own role may then analyze them, as tests of plans need."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        found: bool = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        if found:
            await connection.execute(f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {quoted(role)}")
        return found
    finally:
        await connection.close()
