"""Rows in the order of their commits: a list that a reader follows while others write, and misses no row of.

A position that is counted when a row is written is not enough: a transaction can commit after one whose positions are
higher, and a reader that has passed them never sees its rows. So a row also has the id of its transaction. Rows are
read in the order of (transaction, position), and only those of transactions below every open one: no row that is
committed later can come before them.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa

from didflow_chassis.states import WRITTEN_AT
from didflow_chassis.tables import NOW, clock

TRANSACTION = "transaction_id"
"""The column of the transaction that wrote a row. It is the first part of the order; a position is the second."""

CURRENT = sa.text("(pg_current_xact_id()::text::bigint)")

HORIZON = "horizon"
"""The column of `next_rows` with the id of the oldest open transaction. All rows below it are settled."""

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


class Place(NamedTuple):
    """A place in the order: right behind the row of this transaction and position. Places compare as they follow.

    Behind all rows that are settled while a transaction is the oldest open one is `Place(transaction, 0)`, because
    positions begin with 1.
    """

    transaction: int
    position: int


def is_after(table: sa.Table, place: Place) -> sa.ColumnElement[bool]:
    """Return the condition that a row comes after a place."""
    after: sa.ColumnElement[bool] = _place(table) > _values(place)
    return after


def is_until(table: sa.Table, place: Place) -> sa.ColumnElement[bool]:
    """Return the condition that a row comes before a place, or right at it."""
    until: sa.ColumnElement[bool] = _place(table) <= _values(place)
    return until


def next_rows(table: sa.Table, place: Place | None, limit: int) -> sa.Select[Any]:
    """Select the next settled rows behind a place, each with the `horizon`, `now`, and when it was written as `at`.

    `now` and `at` are by the service's time. If there are no rows, one row has only `horizon` and `now`. Without a
    place, no rows are read.
    """
    state = sa.select(_OLDEST_OPEN.label(HORIZON), NOW.label("now")).subquery("state")
    wanted = sa.false() if place is None else sa.and_(is_settled(table), is_after(table, place))
    rows = sa.select(table, written_at(table)).where(wanted).order_by(*place_order(table)).limit(limit)
    found = rows.subquery("found")
    both = state.outerjoin(found, sa.true())
    return sa.select(state, found).select_from(both).order_by(*place_order(found))


def written_at(table: sa.Table) -> sa.Label[Any]:
    """Return the column `at`: when a row was written, by the service's time."""
    return (table.c[WRITTEN_AT] + sa.select(clock.c.shift).scalar_subquery()).label("at")


def place_order(rows: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    """Return the columns by which rows are sorted in the order of their commits."""
    return rows.c[TRANSACTION], rows.c.position


def _place(table: sa.Table) -> sa.Tuple:
    return sa.tuple_(*place_order(table))


def _values(place: Place) -> sa.Tuple:
    return sa.tuple_(*(sa.literal(value, sa.BigInteger) for value in place))


def _column(table: sa.Table) -> sa.Column[Any]:
    return table.c[TRANSACTION]
