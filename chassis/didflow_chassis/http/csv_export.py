"""CSV exports. Rows are streamed page by page, so memory does not grow with the file.

Spreadsheets run a cell that begins with `=`, `+`, `-` or `@` as a formula. Such a cell gets an apostrophe in front of
it. Digits after a plus sign are no formula, so they stay as they are. Decimals are no texts and stay as they are too.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from starlette.responses import StreamingResponse

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
CSV_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}
"""The `responses` of a route that answers with a CSV file."""

_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - spreadsheets read the wide forms too
_NUMBER: Final = re.compile(r"\+[0-9]+")

Row = Mapping[str, Any]


async def csv_response(
    columns: Sequence[str], pages: AsyncIterator[Sequence[Any]], name: str, *, render: Callable[[Any], Row]
) -> StreamingResponse:
    """Return a response that streams the rows of all pages as a file of this name. See `file_response`.

    `render` returns the cells of a row by column.
    """
    return await file_response(_texts(columns, pages, render), MEDIA_TYPE, name)


async def file_response(texts: AsyncIterator[str], media_type: str, name: str) -> StreamingResponse:
    """Return a response that streams at least one text as a file of this name.

    The first text is read before the response begins, so an error in it is answered with a problem. An error in a
    later text breaks the connection off: the caller sees that the file is not complete.
    """
    first = await anext(texts)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_after(first, texts), media_type=media_type, headers=headers)


def cell(value: Any) -> str:
    """Return a value as the text of a cell that no spreadsheet runs as a formula. None is an empty cell."""
    if isinstance(value, Decimal):
        return format(value, "f")
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


async def _texts(
    columns: Sequence[str], pages: AsyncIterator[Sequence[Any]], render: Callable[[Any], Row]
) -> AsyncIterator[str]:
    """Yield the CSV of each page. The first text begins with the names of the columns."""
    has_names = True
    async for page in pages:
        yield csv_text(columns, map(render, page), has_names=has_names)
        has_names = False
    if has_names:
        yield csv_text(columns, ())


def csv_text(columns: Sequence[str], rows: Iterable[Row], *, has_names: bool = True) -> str:
    """Return rows as CSV. With `has_names`, the first line has the names of the columns."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if has_names:
        writer.writerow(columns)
    writer.writerows([cell(row[name]) for name in columns] for row in rows)
    return buffer.getvalue()


async def _after(first: str, texts: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for text in texts:
        yield text
