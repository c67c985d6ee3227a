"""Migrations on a real PostgreSQL: once, in order, whole or not at all."""

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
    """Two branches, one run; afterwards the code can start, and a second run has nothing to do."""
    before = await migrate.check(empty_database, service)

    assert await migrate.upgrade(empty_database, service) == ("chassis_0001", "things_0001")
    assert await migrate.upgrade(empty_database, service) == ()

    after = await migrate.check(empty_database, service)
    assert before.missing == ("chassis_0001", "things_0001")
    assert (before.ready, after.ready) == (False, True)
    assert await rows(empty_database, "SELECT id, shift::text FROM clock") == [(True, "00:00:00")]


async def test_starters_do_not_race(empty_database, service):
    """Five processes that migrate at once: one does it, the others find it done."""
    applied = await asyncio.gather(*(migrate.upgrade(empty_database, service) for _ in range(5)))

    assert sorted(applied, key=len) == [(), (), (), (), ("chassis_0001", "things_0001")]


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database, service):
    """What came before it in the same run is undone too, and a corrected release starts from there."""
    revision(service.migrations / "versions", 2, 'op.execute("SELECT 1/0")')
    with pytest.raises(sa.exc.DBAPIError):
        await migrate.upgrade(empty_database, service)

    assert await rows(empty_database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []

    revision(service.migrations / "versions", 2, 'op.execute("SELECT 1")')
    assert await migrate.upgrade(empty_database, service) == ("chassis_0001", "things_0001", "things_0002")


async def test_an_older_release_runs_on_a_database_that_a_newer_one_migrated(empty_database, service):
    """While a release rolls out the older code finds all that it needs, and migrates nothing."""
    revision(service.migrations / "versions", 2, 'op.execute("SELECT 1")')
    await migrate.upgrade(empty_database, service)
    (service.migrations / "versions" / "0002.py").unlink()

    found = await migrate.check(empty_database, service)

    assert found.ready
    assert found.ahead == {"things_0002"}
    assert await migrate.upgrade(empty_database, service) == ()


async def test_a_table_in_use_is_not_waited_for_without_end(empty_database, service, monkeypatch):
    """A migration that cannot get its lock gives up, changes nothing, and says so."""
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
    """Types, defaults, indexes and nullability: nothing differs between migrations and `tables`."""
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


async def test_the_outbox_is_vacuumed_by_count(empty_database, service):
    """A queue table's dead rows are cleared after so many, however large it once was."""
    await migrate.upgrade(empty_database, service)

    ((options,),) = await rows(empty_database, "SELECT reloptions FROM pg_class WHERE relname = 'outbox'")

    assert set(options) == {f"{name}={value}" for name, value in tables.QUEUE_STORAGE.items()}


async def test_an_unreachable_database_is_an_outage(service):
    """Whoever cannot be reached is named as such, without the address or a password."""
    with pytest.raises(Outage, match="the database cannot be reached") as raised:
        await migrate.check("postgresql://u:kept-to-itself@127.0.0.1:1/d", service)

    assert "kept-to-itself" not in str(raised.value)
