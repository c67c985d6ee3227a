"""Migrates the database of a service: the tables of the chassis, then those of the service.

A migration is one transaction with one advisory lock. Two migrations at once do not race, and a failure changes
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from didflow_chassis import grants
from didflow_chassis.database import Outage
from didflow_chassis.grants import Roles
from didflow_chassis.service import Service

HERE = Path(__file__).parent / "migrations"
LOCK = 4_713_098_201_337
"""Advisory lock key of migrations, the same in every database."""

TARGETS = ("chassis@head", "heads")
"""The chassis' tables come first, because the migrations of a service may refer to them."""

LOCK_TIMEOUT = "10s"
"""A migration that cannot lock a table in this time fails. Otherwise all later statements on the table would wait."""

LOCKED = "55P03"
CONNECT_TIMEOUT_S = 10.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Revisions:
    """The revisions of a database. If none is `missing`, the code can run on it.

    `ahead` are revisions of a newer release. The code can run on them, because a release first only adds.
    """

    applied: frozenset[str]
    missing: tuple[str, ...]
    ahead: frozenset[str]

    @property
    def ready(self) -> bool:
        """Return True if the code can run on the database."""
        return not self.missing


async def upgrade(dsn: str, service: Service, roles: Roles | None = None) -> tuple[str, ...]:
    """Apply the missing revisions in order and return them. Then grant the rights of the roles, if there are any.

    Raises Outage if the database cannot be reached or one of its tables stays locked.
    """
    script = _script(service)
    return await _in_transaction(dsn, lambda connection: _upgrade(connection, script, service, roles))


async def check(dsn: str, service: Service) -> Revisions:
    """Return the revisions of the database. Nothing is changed. Raises Outage."""
    script = _script(service)
    return await _in_transaction(dsn, lambda connection: _revisions(connection, script))


def _script(service: Service) -> ScriptDirectory:
    own = service.migrations
    versions = own / "versions" if (own / "versions").is_dir() else own
    return ScriptDirectory(HERE, version_locations=[HERE / "versions", versions])


async def _in_transaction(dsn: str, work: Callable[[sa.Connection], T]) -> T:
    async def connect() -> Any:
        try:
            return await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Outage(f"the database cannot be reached: {type(error).__name__}") from error

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCKED:
            raise Outage(f"a table stayed locked for {LOCK_TIMEOUT}, nothing was changed") from error
        raise
    finally:
        await engine.dispose()


def _upgrade(
    connection: sa.Connection, script: ScriptDirectory, service: Service, roles: Roles | None
) -> tuple[str, ...]:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    revisions = _revisions(connection, script)
    for target in () if revisions.ready else TARGETS:
        _apply(connection, script, target)
    if roles is not None:
        grants.apply(connection, service, roles)
    return revisions.missing


def _apply(connection: sa.Connection, script: ScriptDirectory, target: str) -> None:
    def plan(heads: Any, _context: Any) -> Any:
        return script._upgrade_revs(target, heads)  # noqa: SLF001 - as alembic documents it

    with EnvironmentContext(Config(), script, fn=plan) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()


def _revisions(connection: sa.Connection, script: ScriptDirectory) -> Revisions:
    heads = MigrationContext.configure(connection).get_current_heads()
    wanted = [r for target in TARGETS for r in reversed([*script.iterate_revisions(target, "base")])]
    known = dict.fromkeys(revision.revision for revision in wanted)
    ahead = frozenset(heads) - known.keys()
    here = tuple(head for head in heads if head in known)
    applied = {r.revision for r in script.iterate_revisions(here, "base")} if here else set()
    applied |= {r.revision for r in wanted if r.branch_labels & {_branch(head) for head in ahead}}
    return Revisions(
        applied=frozenset(applied),
        missing=tuple(revision for revision in known if revision not in applied),
        ahead=ahead,
    )


def _branch(revision: str) -> str:
    """Return the branch of a revision of a newer release. Ids are `<branch>_<number>`."""
    return revision.rpartition("_")[0]
