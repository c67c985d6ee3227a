"""Lists: `limit`, `cursor` and `sort` from the query string, one statement, one row more than asked (spec http)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field
from starlette.datastructures import QueryParams

from didflow_chassis.http.cursors import read_cursor, write_cursor
from didflow_chassis.http.keyset import Keyset, keyset_of
from didflow_chassis.http.problems import FieldError, Problem
from didflow_chassis.http.running import Reads

MAX_LIMIT = 1_000
DEFAULT_LIMIT = 50
_SLOT = "page_{}"

Sorts = Mapping[str, sa.ColumnElement[Any]]
Render = Callable[[Any], Mapping[str, Any]]


class Page(BaseModel):
    """One page of a list. `next` is the cursor of the page after it, null at the end."""

    items: list[dict[str, Any]]
    next: str | None = Field(description="cursor of the next page; null at the end")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a caller asked of a list."""

    limit: int
    sort: str
    descending: bool
    cursor: str | None

    @property
    def order(self) -> str:
        """The sort as it is written, `-` before it for downwards."""
        return f"-{self.sort}" if self.descending else self.sort


def asked_of(query: QueryParams, sorts: Sorts, default: str | None = None) -> Asked:
    """Read the query string. Without `sort` it is `default`, else the first of `sorts`, upwards.

    Raises Problem `input_invalid` for a limit outside 1..1,000 and `sort_unknown`.
    """
    order = query.get("sort") or default or next(iter(sorts))
    name = order.removeprefix("-")
    if name not in sorts:
        raise _wrong("sort_unknown", "sort", "sort_unknown", f"one of {', '.join(sorts)}, with or without -")
    return Asked(
        limit=_limit(query.get("limit")),
        sort=name,
        descending=order != name,
        cursor=query.get("cursor") or None,
    )


async def page_of(
    reads: Reads,
    statement: sa.Select[Any],
    asked: Asked,
    *,
    column: sa.ColumnElement[Any],
    key: sa.ColumnElement[Any] | None,
    render: Render,
) -> Page:
    """Read one page of the statement's rows. Raises Problem `cursor_invalid`, Outage."""
    order = keyset_of(statement, column, key=key, descending=asked.descending)
    rows = await reads.fetch(_cut(statement, order, asked))
    shown = rows[: asked.limit]
    following = _cursor(shown[-1], order, asked) if len(rows) > asked.limit else None
    return Page(items=[dict(render(row)) for row in shown], next=following)


def _cut(statement: sa.Select[Any], order: Keyset, asked: Asked) -> sa.Select[Any]:
    places = [column.label(_SLOT.format(i)) for i, column in enumerate(order.columns)]
    cut = statement.add_columns(*places).order_by(None).order_by(*order.ordered()).limit(asked.limit + 1)
    if asked.cursor is None:
        return cut
    return cut.where(order.after(read_cursor(asked.cursor, asked.order, order.columns)))


def _cursor(row: Any, order: Keyset, asked: Asked) -> str:
    return write_cursor(asked.order, [row[_SLOT.format(i)] for i in range(len(order.columns))])


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise _wrong("input_invalid", "limit", "out_of_range", f"a whole number, 1 to {MAX_LIMIT}")
    return int(text)


def _wrong(code: str, field: str, reason: str, message: str) -> Problem:
    return Problem(code, "See errors.", errors=[FieldError(field=field, code=reason, message=message)])
