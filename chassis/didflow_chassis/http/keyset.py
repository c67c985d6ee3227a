"""Keyset order: rows after a place in (sort column, key), in a fixed order that writes cannot shift.

NULLs come last going up and first going down, as an ordinary index keeps them, so one index serves both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Column = sa.ColumnElement[Any]


@dataclass(frozen=True, kw_only=True)
class Keyset:
    """The order of a list: by `column`, then by `key`, which is unique and never NULL."""

    column: Column
    key: tuple[Column, ...]
    descending: bool
    nullable: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        """What a row is ordered by, the sort column only once."""
        return self.key if self.key == (self.column,) else (self.column, *self.key)

    def ordered(self) -> list[sa.UnaryExpression[Any]]:
        """Return the ORDER BY clauses."""
        return [c.desc() if self.descending else c.asc() for c in self.columns]

    def after(self, values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a row comes after the one with these values."""
        if not self.nullable or self.columns == self.key:
            return self._beyond(self.columns, values)
        value, key = values[0], self._beyond(self.key, values[1:])
        null = self.column.is_(None)
        if value is None:
            among_nulls = sa.and_(null, key)
            return sa.or_(among_nulls, sa.not_(null)) if self.descending else among_nulls
        beyond = sa.or_(
            self._beyond((self.column,), (value,)), sa.and_(self.column == _typed(value, self.column), key)
        )
        return beyond if self.descending else sa.or_(beyond, null)

    def _beyond(self, columns: Sequence[Column], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        typed = [_typed(value, column) for value, column in zip(values, columns, strict=True)]
        here: Column = columns[0] if len(columns) == 1 else sa.tuple_(*columns)
        there: Column = typed[0] if len(typed) == 1 else sa.tuple_(*typed)
        return here < there if self.descending else here > there


def keyset_of(statement: sa.Select[Any], column: Column, *, key: Column | None, descending: bool) -> Keyset:
    """Work out the order of a statement's rows: the tie breaker is `key`, else its first table's primary key.

    Raises TypeError where there is neither: a defect of the caller.
    """
    home = _home(statement)
    ties = (key,) if key is not None else tuple(home.primary_key)
    if not ties:
        raise TypeError("a list needs a table with a primary key, or `key`")
    solid = isinstance(column, sa.Column) and column.table is home and not column.nullable
    return Keyset(column=column, key=ties, descending=descending, nullable=not solid)


def _home(statement: sa.Select[Any]) -> sa.FromClause:
    home = statement.get_final_froms()[0]
    while isinstance(home, sa.Join):
        home = home.left
    return home


def _typed(value: Any, column: Column) -> Column:
    return sa.literal(value, column.type)
