"""Every statement of a worker uses an index, on an empty database as on one with a million rows."""

import re
from typing import Any

import pytest
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of

from didflow.services import SERVICES, service
from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.relay import _DELETE, _READ
from didflow_chassis.stage.transaction import TAKEN
from didflow_chassis.timers import due_sql

SEQUENTIAL = re.compile(r"Seq Scan on (\w+)")


async def sequential_scans(database: Database, statement: str) -> list[str]:
    """Return the tables that the plan of a statement scans sequentially, whatever its values."""
    nothing: list[Any] = [None] * len(set(re.findall(r"\$\d+", statement)))
    return SEQUENTIAL.findall("\n".join(r[0] for r in await database.fetch(f"EXPLAIN {statement}", *nothing)))


@pytest.fixture(params=SERVICES)
async def opened(request, database_for: DatabaseFor):
    """A service and its empty database, opened as a worker opens it."""
    dsn = await database_for(request.param, migration_of(request.param))
    database = Database(dsn, application="test", is_by_key=True)
    await database.start()
    yield service(request.param), database
    await database.stop()


async def test_no_statement_of_a_worker_scans_a_table(opened) -> None:
    """States, parked messages, the inbox, due timers and the outbox are read by an index."""
    about, database = opened
    statements = [TAKEN, parked.LOAD, parked.LOAD_SINGLE, parked.REMOVE, _READ, _DELETE]
    for kind in about.kinds:
        statements += [] if kind.append_only else [kind.load_sql]
        statements += [due_sql(kind)] if kind.due else []
    assert {s: found for s in statements if (found := await sequential_scans(database, s))} == {}
