"""Migrations on a real PostgreSQL run once, in order, and completely or not at all."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from didflow_chassis import migrate, tables
from didflow_chassis.database import Outage
from didflow_chassis.service import Service

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = {label}


def upgrade() -> None:
    {work}
"""


def revision(folder: Path, number: int, work: str, name: str = "things") -> None:
    """Write one migration of the service `name`."""
    down = f'"{name}_{number - 1:04}"' if number > 1 else "None"
    label = "None" if number > 1 else f'("{name}",)'
    text = REVISION.format(revision=f"{name}_{number:04}", down=down, label=label, work=work)
    folder.mkdir(exist_ok=True)
    (folder / f"{number:04}.py").write_text(text)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    revision(
        tmp_path / "versions", 1, 'op.create_table("things", sa.Column("id", sa.Integer, primary_key=True))'
    )
    return Service(name="things", main=object, kinds=(), events={}, commands={}, migrations=tmp_path)


async def rows(dsn: str, statement: str) -> list[tuple]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_an_empty_database_gets_the_chassis_tables_and_then_the_services(empty_database, service):
    """Both are created in one run. Then the code can start, and a second run applies nothing."""
    before = await migrate.check(empty_database, service)

    assert await migrate.upgrade(empty_database, service) == ("chassis_0001", "things_0001")
    assert await migrate.upgrade(empty_database, service) == ()

    after = await migrate.check(empty_database, service)
    assert before.missing == ("chassis_0001", "things_0001")
    assert (before.ready, after.ready) == (False, True)
    assert await rows(empty_database, "SELECT id, shift::text FROM clock") == [(True, "00:00:00")]


async def test_migrations_at_the_same_time_do_not_race(empty_database, service):
    """Of five processes, one applies the revisions and the others apply nothing."""
    applied = await asyncio.gather(*(migrate.upgrade(empty_database, service) for _ in range(5)))

    assert sorted(applied, key=len) == [(), (), (), (), ("chassis_0001", "things_0001")]


async def test_a_migration_that_fails_changes_nothing(empty_database, service):
    """Earlier revisions of the same run are undone, too. A corrected release can then be applied."""
    revision(service.migrations / "versions", 2, 'op.execute("SELECT 1/0")')
    with pytest.raises(sa.exc.DBAPIError):
        await migrate.upgrade(empty_database, service)

    assert await rows(empty_database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []

    revision(service.migrations / "versions", 2, 'op.execute("SELECT 1")')
    assert await migrate.upgrade(empty_database, service) == ("chassis_0001", "things_0001", "things_0002")


async def test_an_older_release_runs_on_a_database_that_a_newer_one_migrated(empty_database, service):
    """During a rollout, the older code is ready and applies nothing."""
    revision(service.migrations / "versions", 2, 'op.execute("SELECT 1")')
    await migrate.upgrade(empty_database, service)
    (service.migrations / "versions" / "0002.py").unlink()

    found = await migrate.check(empty_database, service)

    assert found.ready
    assert found.ahead == {"things_0002"}
    assert await migrate.upgrade(empty_database, service) == ()


async def test_a_migration_does_not_wait_forever_for_a_table(empty_database, service, monkeypatch):
    """If a table stays locked, the migration changes nothing and raises Outage."""
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "100ms")
    await migrate.upgrade(empty_database, service)
    revision(service.migrations / "versions", 2, 'op.add_column("things", sa.Column("name", sa.Text))')
    reader = await asyncpg.connect(empty_database)
    try:
        async with reader.transaction():
            await reader.execute("SELECT FROM things")
            with pytest.raises(Outage, match="stayed locked"):
                await migrate.upgrade(empty_database, service)
    finally:
        await reader.close()

    assert await migrate.upgrade(empty_database, service) == ("things_0002",)


async def test_the_migrated_tables_are_those_that_the_code_describes(empty_database, service):
    """Types, defaults, indexes and nullability are equal in the migrations and in `tables`."""
    await migrate.upgrade(empty_database, service)

    async def connect():
        return await asyncpg.connect(empty_database)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_differences)
    finally:
        await engine.dispose()

    assert found == []


def _differences(connection: sa.Connection) -> list:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: kind != "table" or name in tables.METADATA.tables,
    }
    return compare_metadata(MigrationContext.configure(connection, opts=options), tables.METADATA)


async def test_the_outbox_is_vacuumed_after_a_number_of_dead_rows(empty_database, service):
    """The threshold does not depend on the size of the table."""
    await migrate.upgrade(empty_database, service)

    ((options,),) = await rows(empty_database, "SELECT reloptions FROM pg_class WHERE relname = 'outbox'")

    assert set(options) == {f"{name}={value}" for name, value in tables.QUEUE_STORAGE.items()}


async def test_an_unreachable_database_is_an_outage(service):
    """The message contains neither the address nor a password."""
    with pytest.raises(Outage, match="the database cannot be reached") as raised:
        await migrate.check("postgresql://u:kept-to-itself@127.0.0.1:1/d", service)

    assert "kept-to-itself" not in str(raised.value)
