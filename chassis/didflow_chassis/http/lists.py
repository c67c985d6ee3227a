"""Lists: one page at a time, in a keyset order that writes cannot shift, from a cursor.

A list is ordered by the sort column and then by a unique key. A cursor holds these values of the last row of a page.
NULLs come last in ascending order and first in descending order, as in an ordinary index, so one index serves both.
Source: spec http, Lists.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, Field, Strict, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.datastructures import QueryParams

from didflow_chassis.http.problems import FieldError, Problem
from didflow_contracts.instants import Instant

PARAMETERS = ("limit", "cursor", "sort")
MAX_LIMIT = 1_000
DEFAULT_LIMIT = 50
MAX_CURSOR = 8_000
"""Characters of a cursor. The longest names that a list is sorted by fit, however they are encoded."""
_KEY_COLUMN = "page_{}"

T = TypeVar("T")
Column = sa.ColumnElement[Any]
Key = Column | tuple[Column, ...]
Sorts = Mapping[str, Column]
Render = Callable[[Any], Mapping[str, Any]]
Fetch = Callable[[sa.Select[Any]], Awaitable[Sequence[Any]]]


class Page(BaseModel):
    """One page of a list. A GET route that returns a Page takes the parameters `limit`, `cursor` and `sort`."""

    items: list[dict[str, Any]]
    next: str | None = Field(description="Cursor of the next page; null on the last page.")


class PageBody(BaseModel):
    """The same parameters in a body, for a POST route that returns a Page."""

    limit: Annotated[int, Strict(), Field(ge=1, le=MAX_LIMIT)] | None = Field(
        default=None, description=f"Number of items. The default is {DEFAULT_LIMIT}."
    )
    cursor: Annotated[str, Field(max_length=MAX_CURSOR)] | None = Field(
        default=None, description="The `next` of the previous page."
    )
    sort: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="What to sort by, with - in front to descend."
    )

    def page_parameters(self) -> Mapping[str, str]:
        """Return the parameters as a query string has them."""
        named = {name: getattr(self, name) for name in PARAMETERS}
        return {name: str(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageQuery:
    """Which page a caller requests."""

    limit: int
    sort: str
    descending: bool
    cursor: str | None

    @property
    def order(self) -> str:
        """The value of the `sort` parameter: a column, with `-` in front for descending order."""
        return f"-{self.sort}" if self.descending else self.sort


def page_query(query: Mapping[str, str], sorts: Sorts, default: str | None = None) -> PageQuery:
    """Read the parameters of a list. Without `sort`, the order is `default`, else the first of `sorts`, ascending.

    Raises Problem `sort_unknown`, or `input_invalid` for a limit outside 1 to 1,000.
    """
    order = query.get("sort") or default or next(iter(sorts))
    name = order.removeprefix("-")
    if name not in sorts:
        names = ", ".join(sorts)
        raise _wrong("sort_unknown", "sort", "sort_unknown", f"Sort by one of {names}, with - to descend.")
    return PageQuery(
        limit=_limit(query.get("limit")),
        sort=name,
        descending=order != name,
        cursor=query.get("cursor") or None,
    )


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise _wrong("input_invalid", "limit", "out_of_range", f"Use a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _wrong(code: str, field: str, reason: str, message: str) -> Problem:
    return Problem(code, message, errors=[FieldError(field=field, code=reason, message=message)])


async def page_of(
    fetch: Fetch,
    statement: sa.Select[Any],
    query: PageQuery,
    *,
    column: Column,
    key: Key | None,
    render: Render,
    is_grouped: bool = False,
) -> Page:
    """Read one page of the rows of a statement. Raises Problem `cursor_invalid`, Outage."""
    keyset = keyset_of(statement, column, key=key, descending=query.descending)
    rows = await fetch(_page_statement(statement, keyset, query, is_grouped=is_grouped))
    page = rows[: query.limit]
    following = _next_cursor(page[-1], keyset, query) if len(rows) > query.limit else None
    return Page(items=[dict(render(row)) for row in page], next=following)


def page_of_items(
    items: Iterable[T], params: QueryParams, *, sort: str, key: Callable[[T], str], render: Render
) -> Page:
    """Return one page of a list that is computed in memory. `key` is unique and orders the items.

    `sort` is what the order is called. Raises Problem `sort_unknown`, `cursor_invalid`, `input_invalid`.
    """
    column = sa.column(sort, sa.Text())
    query = page_query(params, {sort: column})
    ordered = sorted(items, key=key, reverse=query.descending)
    if query.cursor is not None:
        (last,) = read_cursor(query.cursor, query.order, (column,))
        if last is None:  # a key is never null, so no list made this cursor
            raise _cursor_invalid()
        ordered = [item for item in ordered if (key(item) < last if query.descending else key(item) > last)]
    page = ordered[: query.limit]
    following = write_cursor(query.order, [key(page[-1])]) if len(ordered) > query.limit else None
    return Page(items=[dict(render(item)) for item in page], next=following)


def _page_statement(
    statement: sa.Select[Any], keyset: "Keyset", query: PageQuery, *, is_grouped: bool
) -> sa.Select[Any]:
    """Return the statement of one page, and of one row more, which shows whether another page follows."""
    values = [column.label(_KEY_COLUMN.format(i)) for i, column in enumerate(keyset.columns)]
    ordered = statement.add_columns(*values).order_by(None).order_by(*keyset.ordered())
    limited = ordered.limit(query.limit + 1)
    if query.cursor is None:
        return limited
    after = keyset.after(read_cursor(query.cursor, query.order, keyset.columns))
    return limited.having(after) if is_grouped else limited.where(after)


def _next_cursor(row: Any, keyset: "Keyset", query: PageQuery) -> str:
    return write_cursor(query.order, [row[_KEY_COLUMN.format(i)] for i in range(len(keyset.columns))])


@dataclass(frozen=True, kw_only=True)
class Keyset:
    """The order of a list: by `column`, then by `key`. `key` is unique and never NULL."""

    column: Column
    key: tuple[Column, ...]
    descending: bool
    nullable: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the order. A sort column with which the key begins appears once."""
        return self.key if self.key[0] is self.column else (self.column, *self.key)

    def ordered(self) -> list[sa.UnaryExpression[Any]]:
        """Return the ORDER BY clauses."""
        return [c.desc() if self.descending else c.asc() for c in self.columns]

    def after(self, values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a row comes after the row with these values."""
        if not self.nullable or self.columns is self.key:
            return self._beyond(self.columns, values)
        value, key = values[0], self._beyond(self.key, values[1:])
        null = self.column.is_(None)
        if value is None:
            later_nulls = sa.and_(null, key)
            return sa.or_(later_nulls, sa.not_(null)) if self.descending else later_nulls
        beyond = sa.or_(
            self._beyond((self.column,), (value,)), sa.and_(self.column == _typed(value, self.column), key)
        )
        return beyond if self.descending else sa.or_(beyond, null)

    def _beyond(self, columns: Sequence[Column], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        typed = [_typed(value, column) for value, column in zip(values, columns, strict=True)]
        here: Column = columns[0] if len(columns) == 1 else sa.tuple_(*columns)
        there: Column = typed[0] if len(typed) == 1 else sa.tuple_(*typed)
        return here < there if self.descending else here > there


def keyset_of(statement: sa.Select[Any], column: Column, *, key: Key | None, descending: bool) -> Keyset:
    """Return the order of the rows of a statement. Without `key`, the key is the primary key of the first table.

    A key of several columns that begins with `column` is the whole order. Raises TypeError if there is no key: a defect
    of the route.
    """
    table = _first_table(statement)
    unique = key if isinstance(key, tuple) else (key,) if key is not None else tuple(table.primary_key)
    if not unique:
        raise TypeError("A list needs a table with a primary key, or the argument `key`.")
    never_null = isinstance(column, sa.Column) and column.table is table and not column.nullable
    return Keyset(column=column, key=unique, descending=descending, nullable=not never_null)


def _first_table(statement: sa.Select[Any]) -> sa.FromClause:
    table = statement.get_final_froms()[0]
    while isinstance(table, sa.Join):
        table = table.left
    return table


def _typed(value: Any, column: Column) -> Column:
    return sa.literal(value, column.type)


_Word = Annotated[str, StringConstraints(max_length=200)]
_Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_Small = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Large = Annotated[int, Field(ge=-(2**63), lt=2**63)]


def write_cursor(sort: str, values: Sequence[Any]) -> str:
    """Return a cursor: the requested sort, and the values of the last row in the columns of the order."""
    return urlsafe_b64encode(to_json((sort, *values))).rstrip(b"=").decode()


def read_cursor(text: str, sort: str, columns: Sequence[sa.ColumnElement[Any]]) -> tuple[Any, ...]:
    """Return the values of a cursor, typed like their columns. Raises Problem `cursor_invalid`."""
    try:
        plain = urlsafe_b64decode(text[:MAX_CURSOR].encode("ascii") + b"=" * (-len(text) % 4))
        written_for, *values = _adapter(tuple(_value_type(c) for c in columns)).validate_json(
            plain, strict=True
        )
    except (ValidationError, ValueError) as error:
        raise _cursor_invalid() from error
    if written_for != sort:
        raise Problem(
            "cursor_invalid", "The cursor belongs to another sort. Send the same `sort` with each page."
        )
    return tuple(values)


def _cursor_invalid() -> Problem:
    return Problem("cursor_invalid", "Send the `next` of the previous page without changes.")


@lru_cache(maxsize=256)
def _adapter(types: tuple[Any, ...]) -> TypeAdapter[tuple[Any, ...]]:
    return TypeAdapter(tuple[(_Word, *types)])  # type: ignore[valid-type]


def _value_type(column: sa.ColumnElement[Any]) -> Any:
    kind = column.type
    if isinstance(kind, sa.BigInteger):
        return _Large | None
    if isinstance(kind, sa.Integer):
        return _Small | None
    if isinstance(kind, sa.DateTime) and kind.timezone:
        return Instant | None
    return (_Text if kind.python_type is str else kind.python_type) | None
