"""The content of every table of a database, and the search for values in it."""

import base64
from typing import Any

import orjson


async def dump(running: Any) -> dict[str, bytes]:
    """Return the content of every table: each column of each row, with bytes and decoded base64."""
    tables = await running.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return {row[0]: b"\n".join([part async for part in _parts(running, row[0])]) for row in tables}


async def _parts(running: Any, table: str) -> Any:
    for row in await running.fetch(f'SELECT * FROM "{table}"'):
        for name, value in row.items():
            if isinstance(value, bytes):
                yield value
            elif value is not None:
                yield str(value).encode()
            if name == "headers" and value is not None:
                yield b"".join(base64.b64decode(text) for _, text in orjson.loads(value) if text)


def found_in(dumped: dict[str, bytes], wanted: Any) -> dict[str, set[str]]:
    """Return the values that are found, each with its tables, however they are escaped."""
    found: dict[str, set[str]] = {}
    for value in wanted:
        ways = {value.encode(), orjson.dumps(value)[1:-1], value.encode("ascii", "backslashreplace")}
        for table, content in dumped.items():
            if any(way in content for way in ways):
                found.setdefault(value, set()).add(table)
    return found
