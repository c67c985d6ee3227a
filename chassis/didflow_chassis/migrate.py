"""Brings a service's database to what its code expects: the chassis' tables and the service's own.

One transaction under one advisory lock: two starters do not race, and a failure leaves nothing behind.
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

from didflow_chassis.database import Outage
from didflow_chassis.service import Service

HERE = Path(__file__).parent / "migrations"
LOCK = 4_713_098_201_337
"""Advisory lock key of migrations, the same in every database."""

TARGETS = ("chassis@head", "heads")
"""The chassis' tables come first, so that a service's migrations may build on them."""

LOCK_TIMEOUT = "10s"
"""A migration that cannot get a table's lock gives up rather than hold up all that queues behind it."""

LOCKED = "55P03"
CONNECT_TIMEOUT_S = 10.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Revisions:
    """What the database has and what it still needs. `missing` empty: the code can run on it.

    A database that a newer release has migrated is `ahead` and can be run on: migrations only add first.
    """

    applied: frozenset[str]
    missing: tuple[str, ...]
    ahead: frozenset[str]

    @property
    def ready(self) -> bool:
        """Whether the database has all that this code needs."""
        return not self.missing


async def upgrade(dsn: str, service: Service) -> tuple[str, ...]:
    """Apply what is missing, in order, and return the revisions applied: none when all was there.

    Raises Outage where the database cannot be reached or one of its tables stays locked.
    """
    script = _script(service)
    return await _in_transaction(dsn, lambda connection: _upgrade(connection, script))


async def check(dsn: str, service: Service) -> Revisions:
    """Say what the database has and what it lacks. Changes nothing. Raises Outage."""
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
            raise Outage(f"a table stayed locked for {LOCK_TIMEOUT}; nothing was changed") from error
        raise
    finally:
        await engine.dispose()


def _upgrade(connection: sa.Connection, script: ScriptDirectory) -> tuple[str, ...]:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    revisions = _revisions(connection, script)
    if revisions.ready:
        return ()

    for target in TARGETS:
        _apply(connection, script, target)
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
    """Return the branch of a revision that this code does not know: ids are `<branch>_<number>`."""
    return revision.rpartition("_")[0]
