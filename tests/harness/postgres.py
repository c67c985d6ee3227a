"""Databases of tests on one PostgreSQL. A template is prepared once for each service; each test gets copies of it."""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg

from didflow.embedded.databases import close_to_public, dsn_of, make_role, quoted

Prepare = Callable[[str], Awaitable[None]]
"""Migrates an empty database, named by its DSN. Called once in a test run; must close its connections."""


@dataclass(kw_only=True)
class TemplateDatabases:
    """Creates and drops the databases of one test run. Each service has its own role, as in production."""

    admin_dsn: str
    _passwords: dict[str, str] = field(default_factory=dict, repr=False)
    _templates: dict[tuple[str, Prepare], str] = field(default_factory=dict, repr=False)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count, repr=False)

    async def copy(self, service: str, prepare: Prepare | None = None) -> str:
        """Create a database for the service, a copy of the template that `prepare` made, and return its DSN.

        Without `prepare` the database is empty.
        """
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            role = await self._role(connection, service)
            template = "template0" if prepare is None else await self._template(connection, service, prepare)
            return await self._create(connection, role, template)
        finally:
            await connection.close()

    async def duplicate(self, service: str, dsn: str) -> str:
        """Create a database with the content of another one, which nobody may be connected to. Return its DSN."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            role = await self._role(connection, service)
            return await self._create(connection, role, dsn.rpartition("/")[2])
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
        dsn = await self._create(connection, await self._role(connection, service), "template0")
        await prepare(dsn)
        name = self._templates[service, prepare] = dsn.rpartition("/")[2]
        return name

    async def _create(self, connection: asyncpg.Connection, role: str, template: str) -> str:
        name = f"{role}_{next(self._numbers)}"
        await connection.execute(
            f"CREATE DATABASE {quoted(name)} OWNER {quoted(role)} TEMPLATE {quoted(template)}"
        )
        await close_to_public(connection, name)
        return dsn_of(self.admin_dsn, role=role, password=self._passwords[role], database=name)

    async def _role(self, connection: asyncpg.Connection, service: str) -> str:
        role = f"test_{service}"
        if role not in self._passwords:
            password = secrets.token_hex(16)
            await make_role(connection, role, password)
            self._passwords[role] = password
        return role
