"""Reads the rows of a statement page by page, for files: memory does not grow with the file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

PAGE: Final = 1_000

Fetch = Callable[[sa.Select[Any]], Awaitable[Sequence[Any]]]


async def pages(
    fetch: Fetch, statement: sa.Select[Any], *key: sa.Column[Any], size: int | None = None
) -> AsyncIterator[Sequence[Any]]:
    """Yield the rows of a statement in ascending order of a key, `size` (else `PAGE`) at a time.

    The key is unique, never null, and among the selected columns. Each page is one `fetch`, so rows that are written
    meanwhile shift no other.
    """
    limit, place = size or PAGE, sa.tuple_(*key)
    ordered = statement.order_by(*key).limit(limit)
    rows = await fetch(ordered)
    while rows:
        yield rows
        if len(rows) < limit:
            return
        last = (sa.literal(rows[-1][column.name], column.type) for column in key)
        rows = await fetch(ordered.where(place > sa.tuple_(*last)))
