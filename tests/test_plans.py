"""What a worker reads goes by an index, from the first batch on an empty database to the millionth row."""

import re
from typing import Any

import pytest
from harness.fixtures import DatabaseFor
from harness.migrated import migrated

from didflow.services import SERVICES, service
from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.relay import _DELETE, _READ
from didflow_chassis.stage.transaction import TAKEN
from didflow_chassis.timers import due_sql

SEQUENTIAL = re.compile(r"Seq Scan on (\w+)")


async def whole_tables_read(database: Database, statement: str) -> list[str]:
    """Plan a statement for any values, and return the tables that it would read from end to end."""
    nothing: list[Any] = [None] * len(set(re.findall(r"\$\d+", statement)))
    return SEQUENTIAL.findall("\n".join(r[0] for r in await database.fetch(f"EXPLAIN {statement}", *nothing)))


@pytest.fixture(params=SERVICES)
async def worked(request, database_for: DatabaseFor):
    """A service, and its empty database as its worker opens it."""
    dsn = await database_for(request.param, migrated(request.param))
    database = Database(dsn, application="test", is_by_key=True)
    await database.start()
    yield service(request.param), database
    await database.stop()


async def test_a_worker_reads_no_table_from_end_to_end(worked) -> None:
    """States by key, waiters, the inbox, what is due, the outbox: each has its index, and the plan takes it."""
    about, database = worked
    statements = [TAKEN, parked.LOAD, parked.REMOVE, _READ, _DELETE]
    for kind in about.kinds:
        statements += [] if kind.append_only else [kind.load_sql]
        statements += [due_sql(kind)] if kind.due else []
    assert {s: found for s in statements if (found := await whole_tables_read(database, s))} == {}
