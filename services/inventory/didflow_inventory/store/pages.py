"""Reads a long list for a file, page by page, so that memory does not grow with the file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

PAGE: Final = 250
"""Rows of a page. Other requests of the process wait while a page becomes text."""

Fetch = Callable[[sa.Select[Any]], Awaitable[Sequence[Any]]]


async def pages(
    fetch: Fetch, statement: sa.Select[Any], *key: sa.Column[Any]
) -> AsyncIterator[Sequence[Any]]:
    """Yield the rows of a statement in ascending order of a key that is unique and never null.

    Each page is one `fetch`, also an empty one at the end.
    """
    ordered, place = statement.order_by(*key).limit(PAGE), sa.tuple_(*key)
    rows = await fetch(ordered)
    while rows:
        yield rows
        last = (sa.literal(rows[-1][column.name], column.type) for column in key)
        rows = await fetch(ordered.where(place > sa.tuple_(*last)))
