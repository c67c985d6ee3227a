"""Deletes rows that are kept for some days only: what was done with messages, and what has ended.

The row of a state that has ended for good is deleted some days later (`Kind.ended`), in the service's time. The entries
of a history stay. Rows that are only added can have a time of their own (`Kind.kept_for`, `row_access.append_only`), by
the time of the database.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from didflow_chassis.database import Database
from didflow_chassis.grants import tables_of
from didflow_chassis.jobs import store as jobs
from didflow_chassis.row_access import kept_for
from didflow_chassis.service import Service
from didflow_chassis.states import WRITTEN_AT
from didflow_chassis.tables import NOW_SQL

MAX_PRUNED: Final = 5_000
"""How many rows of a table one round deletes."""

_OWN: Final = {"inbox": "seen_at", "idempotency": "created_at", "handled_letters": "at"}
"""The tables of the chassis, and the column from which the days of a row count. Jobs have a way of their own."""

_PRUNE: Final = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {column} < (SELECT {now} - {age}) LIMIT $2))
"""
_DAYS: Final = "make_interval(days => $1)"


def prune_sql(service: Service) -> Iterator[str]:
    """Yield the statements that delete old rows, one for each table; $1 days, $2 how many.

    The instant is read by a subquery, so that the index is only searched up to it.
    """
    for table, column in _OWN.items():
        yield _PRUNE.format(table=table, column=column, now="clock_timestamp()", age=_DAYS)
    for kind in service.kinds:
        if kind.ended is not None:
            yield _PRUNE.format(table=kind.table.name, column=kind.ended, now=NOW_SQL, age=_DAYS)


async def prune(database: Database, service: Service, days: int) -> None:
    """Delete rows that are older than so many days, at most `MAX_PRUNED` of each table. Raises Outage."""
    for statement in prune_sql(service):
        await database.fetch(statement, days, MAX_PRUNED)
    for table, age in _kept(service):
        statement = _PRUNE.format(table=table, column=WRITTEN_AT, now="clock_timestamp()", age="$1::interval")
        await database.fetch(statement, age, MAX_PRUNED)
    await jobs.prune(database, days, MAX_PRUNED)


def _kept(service: Service) -> Iterator[tuple[str, timedelta]]:
    """Yield the tables whose rows are kept for a time of their own, and that time."""
    for kind in service.kinds:
        if kind.kept_for is not None:
            yield kind.table.name, kind.kept_for
    for name, table in tables_of(service).items():
        age = kept_for(table)
        if age is not None:
            yield name, age
