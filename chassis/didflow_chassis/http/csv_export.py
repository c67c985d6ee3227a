"""CSV exports. Rows are streamed page by page, so memory does not grow with the file.

Spreadsheets run a cell that begins with `=`, `+`, `-` or `@` as a formula. Such a cell gets an apostrophe in front of
it. Digits after a plus sign are no formula, so numbers stay as they are.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import StreamingResponse

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - spreadsheets read the wide forms too
_NUMBER: Final = re.compile(r"\+[0-9]+")

Row = Mapping[str, Any]


async def csv_response(
    columns: Sequence[str], pages: AsyncIterator[Sequence[Row]], name: str
) -> StreamingResponse:
    """Return a response that streams the rows of all pages as a file of this name.

    The first page is read before the response begins, so an error in it is answered with a problem. An error in a
    later page breaks the connection off: the caller sees that the file is not complete.
    """
    texts = _texts(columns, pages)
    first = await anext(texts)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_after(first, texts), media_type=MEDIA_TYPE, headers=headers)


def cell(value: Any) -> str:
    """Return a value as the text of a cell that no spreadsheet runs as a formula. None is an empty cell."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


async def _texts(columns: Sequence[str], pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[str]:
    """Yield the CSV of each page. The first text begins with the names of the columns."""
    header: list[Sequence[str]] = [columns]
    async for page in pages:
        yield _text([*header, *([cell(row[name]) for name in columns] for row in page)])
        header = []
    if header:
        yield _text(header)


def _text(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


async def _after(first: str, texts: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for text in texts:
        yield text
