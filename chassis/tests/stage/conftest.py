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
from harness.fixtures import DatabaseFor
from sqlalchemy.ext.asyncio import create_async_engine

sys.path.insert(0, str(Path(__file__).parent))

import toy


async def prepare(dsn: str) -> None:
    """Make the tables of the chassis and of the toy service."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(tables.METADATA.create_all)
        await connection.run_sync(toy.METADATA.create_all)
        await connection.exec_driver_sql("INSERT INTO clock DEFAULT VALUES")
    await engine.dispose()


@pytest.fixture
async def dsn(database_for: DatabaseFor) -> str:
    return await database_for("counting", prepare)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = Database(dsn, application="test", size=20)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def stage(database: Database) -> Stage:
    watching = Watching(Metrics(), start_tracing(service="counting", process="test", endpoint=None))
    return Stage(toy.SERVICE, database, watching)
