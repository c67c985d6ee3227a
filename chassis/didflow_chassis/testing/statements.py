"""The SQL statements of the methods of `ServiceUnderTest`. The tables in memory answer the same statements."""

from typing import Any

from didflow_chassis.states import Kind

OUTBOX = "SELECT id, topic, value FROM outbox WHERE id > $1 ORDER BY id"

PARKED = """
SELECT entity, reason, missing, attempts, due_at, last_error, topic, value, headers FROM parked ORDER BY id
"""

DEAD_RECORDS = "SELECT reason, detail, topic, value, entity FROM dead_letters ORDER BY at, id"

DUE_PARKED = "SELECT 'parked', id::text, due_at FROM parked WHERE due_at <= $1"

SET_TIME = "UPDATE clock SET shift = $1 - clock_timestamp()"


def all_rows(kind: Kind[Any]) -> str:
    """Select every row of a kind: states in the order of their keys, append-only rows in the order of insertion.

    A row can take a place that an earlier save left when it was rolled back. So the place tells the order only within a
    transaction.
    """
    columns = ", ".join(f'"{name}"' for name in kind.columns)
    order = "xmin::text::bigint, ctid" if kind.append_only else f'"{kind.key}"::text COLLATE "C"'
    return f"SELECT {columns} FROM {kind.table.name} ORDER BY {order}"  # noqa: S608


def due_states(kind: Kind[Any]) -> str:
    """Select table, key and instant of the timers of a kind that are due at $1. Held entities are left out."""
    return (
        f"SELECT '{kind.table.name}', {kind.key}::text, {kind.due} FROM {kind.table.name} t "  # noqa: S608
        f"WHERE {kind.due} <= $1 AND NOT EXISTS ("
        f"SELECT FROM parked p WHERE p.entity = t.{kind.key}::text AND p.reason IN ('retry', 'dead'))"
    )
