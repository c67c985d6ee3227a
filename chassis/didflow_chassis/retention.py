"""Deletes rows that are kept for some days only: what was done with messages, and what has ended.

The row of a state that has ended for good is deleted some days later (`Kind.ended`), in the service's time. The entries
of a history stay.
"""

from collections.abc import Iterator
from typing import Final

from didflow_chassis.database import Database
from didflow_chassis.jobs import store as jobs
from didflow_chassis.service import Service
from didflow_chassis.tables import NOW_SQL

MAX_PRUNED: Final = 5_000
"""How many rows of a table one round deletes."""

_OWN: Final = {"inbox": "seen_at", "idempotency": "created_at", "handled_letters": "at"}
"""The tables of the chassis, and the column from which the days of a row count. Jobs have a way of their own."""

_PRUNE: Final = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {column} < (SELECT {now} - make_interval(days => $1)) LIMIT $2))
"""


def prune_sql(service: Service) -> Iterator[str]:
    """Yield the statements that delete old rows, one for each table; $1 days, $2 how many.

    The instant is read by a subquery, so that the index is only searched up to it.
    """
    for table, column in _OWN.items():
        yield _PRUNE.format(table=table, column=column, now="clock_timestamp()")
    for kind in service.kinds:
        if kind.ended is not None:
            yield _PRUNE.format(table=kind.table.name, column=kind.ended, now=NOW_SQL)


async def prune(database: Database, service: Service, days: int) -> None:
    """Delete rows that are older than so many days, at most `MAX_PRUNED` of each table. Raises Outage."""
    for statement in prune_sql(service):
        await database.fetch(statement, days, MAX_PRUNED)
    await jobs.prune(database, days, MAX_PRUNED)
