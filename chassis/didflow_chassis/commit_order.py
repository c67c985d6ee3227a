"""Rows in the order of their commits: a list that a reader follows while others write, and misses no row of.

A position that is counted when a row is written is not enough: a transaction can commit after one whose positions are
higher, and a reader that has passed them never sees its rows. So a row also has the id of its transaction. Rows are
read in the order of (transaction, position), and only those of transactions below every open one: no row that is
committed later can come before them.
"""

from typing import Any

import sqlalchemy as sa

TRANSACTION = "transaction_id"
"""The column of the transaction that wrote a row. It is the first part of the order; a position is the second."""

CURRENT = sa.text("(pg_current_xact_id()::text::bigint)")

_OLDEST_OPEN = sa.literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", sa.BigInteger)


def transaction_column() -> sa.Column[int]:
    """Describe the column of the transaction that writes a row."""
    return sa.Column(TRANSACTION, sa.BigInteger, nullable=False, server_default=CURRENT)


def is_settled(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that no row can be committed any more that comes before this row.

    A transaction that stays open anywhere in the database server delays the rows that are written after its start.
    """
    settled: sa.ColumnElement[bool] = _column(table) < _OLDEST_OPEN
    return settled


def _column(table: sa.Table) -> sa.Column[Any]:
    return table.c[TRANSACTION]
