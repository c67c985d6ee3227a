"""The toy service's stage on a new database for each test."""

from collections.abc import AsyncIterator

import pytest
import toy
from harness.fixtures import DatabaseFor
from toy import prepare

from didflow_chassis.database import Database
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing


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
    telemetry = StageTelemetry(Metrics(), start_tracing(service="counting", process="test", endpoint=None))
    return Stage(toy.SERVICE, database, telemetry)
