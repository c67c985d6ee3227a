"""Every statement of a worker uses an index, on an empty database as on one with a million rows."""

import re
from datetime import UTC, datetime
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of
from msgspec import Struct, convert

from didflow.services import SERVICES, service
from didflow_chassis import parked
from didflow_chassis.database import Database, compile_statement
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import Job
from didflow_chassis.jobs.kinds import JobKind, JobTools
from didflow_chassis.relay import _DELETE, _READ
from didflow_chassis.retention import prune_sql
from didflow_chassis.stage.transaction import TAKEN
from didflow_chassis.timers import count_due, due_sql, oldest_due

NEW: dict[str, Any] = {"created_at": datetime.now(UTC), "parameters": None}
SEQUENTIAL = re.compile(r"Seq Scan on (\w+)")


async def sequential_scans(database: Database, statement: str) -> list[str]:
    """Return the tables that the plan of a statement scans sequentially, whatever its values."""
    nothing: list[Any] = [None] * len(set(re.findall(r"\$\d+", statement)))
    return SEQUENTIAL.findall("\n".join(r[0] for r in await database.fetch(f"EXPLAIN {statement}", *nothing)))


class Explained(Database):
    """A database that notes the tables that its statements scan sequentially."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.dsn, application="test")
        self._database = database
        self.scanned: list[str] = []

    async def fetch(self, statement: sa.Executable | str, *values: Any) -> list[Any]:
        text, bound = (statement, values) if isinstance(statement, str) else compile_statement(statement)
        plan = await self._database.fetch(f"EXPLAIN {text}", *bound)
        self.scanned += SEQUENTIAL.findall("\n".join(row[0] for row in plan))
        return await self._database.fetch(text, *bound)


def parameters_of(kind: JobKind[Any]) -> Any:
    """Return parameters of a kind of job. Every id and text among them names nothing."""
    values = {UUID: str(uuid4()), str: "XX", bool: "false"}
    hints = get_type_hints(kind.parameters)
    given = {name: _nothing(hint, values) for name, hint in hints.items()}
    return convert(given, kind.parameters, strict=False)


def _nothing(hint: Any, values: dict[type, str]) -> Any:
    """Return a value of a type that names nothing: an empty list, a struct of defaults, an id, a text or false."""
    if get_origin(hint) is tuple:
        return []
    if isinstance(hint, type) and issubclass(hint, Struct):
        return {}
    return next(values[each] for each in get_args(hint) or (hint,) if each in values)


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
    statements = [
        TAKEN,
        parked.LOAD,
        parked.LOAD_SINGLE,
        parked.REMOVE,
        _READ,
        _DELETE,
        store.CLAIM,
        store.CLAIM_ONE,
    ]
    for kind in about.kinds:
        statements += [] if kind.append_only else [kind.load_sql]
        statements += [due_sql(kind)] if kind.due else []
    assert {s: found for s in statements if (found := await sequential_scans(database, s))} == {}


async def test_what_is_due_is_found_by_an_index(opened) -> None:
    """Timers are counted, and the oldest is read: each index is searched up to the present. The clock has one row."""
    about, database = opened
    oldest = oldest_due(about).values()
    unsearched = []
    for statement, kinds in (*((each, 1) for each in oldest), (f"SELECT {count_due(about)}", len(oldest))):
        plan = "\n".join(row[0] for row in await database.fetch(f"EXPLAIN {statement}"))
        searched = re.findall(r"Index Cond: \([\w.]+ <= \(InitPlan", plan)
        if len(searched) != kinds or set(SEQUENTIAL.findall(plan)) - {"clock"}:
            unsearched.append(plan)
    assert unsearched == []


async def test_old_rows_are_found_by_an_index(opened) -> None:
    """Each table is searched up to the instant before which rows are deleted, and not as a whole."""
    about, database = opened
    unsearched = []
    for statement in (*prune_sql(about), store.PRUNE_RESULTS, store.PRUNE):
        values = [30, 5_000] if "$2" in statement else [30]
        plan = "\n".join(row[0] for row in await database.fetch(f"EXPLAIN {statement}", *values))
        is_searched = re.search(r"Index Cond: \(\w+ < \(InitPlan", plan) is not None
        if not is_searched or set(SEQUENTIAL.findall(plan)) - {"clock"}:
            unsearched.append(plan)
    assert unsearched == []


async def test_no_page_of_a_job_scans_a_table(opened) -> None:
    """The next items of a job are read by an index, whatever the kind of job."""
    about, database = opened
    found = {}
    for name, kind in about.jobs.items():
        explained = Explained(database)
        job = Job(job_id=uuid4(), kind=name, account="", role="operator", created_by="user:op", **NEW)
        tools = JobTools(job=job, parameters=parameters_of(kind), database=explained, service=about)
        await kind.page(tools, None, kind.chunk)
        found[name] = explained.scanned
    assert {name: tables for name, tables in found.items() if tables} == {}
