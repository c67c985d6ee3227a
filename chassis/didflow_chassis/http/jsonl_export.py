"""Exports of JSON values, one on each line. They are streamed page by page, as those of `csv_export`."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_json
from starlette.responses import StreamingResponse

from didflow_chassis.http.csv_export import file_response

MEDIA_TYPE: Final = "application/jsonl"
JSONL_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}
"""The `responses` of a route that answers with lines of JSON."""

Item = Mapping[str, Any]


async def jsonl_response(
    pages: AsyncIterator[Sequence[Any]], name: str, *, render: Callable[[Any], Item]
) -> StreamingResponse:
    """Return a response that streams the rows of all pages as a file of this name. No rows are an empty file.

    `render` returns the item of a row.
    """
    return await file_response(_texts(pages, render), MEDIA_TYPE, name)


async def _texts(pages: AsyncIterator[Sequence[Any]], render: Callable[[Any], Item]) -> AsyncIterator[str]:
    is_empty = True
    async for page in pages:
        is_empty = False
        yield jsonl_text(map(render, page))
    if is_empty:
        yield ""


def jsonl_text(items: Iterable[Item]) -> str:
    """Return each item as JSON on a line of its own."""
    return "".join(f"{to_json(item).decode()}\n" for item in items)
