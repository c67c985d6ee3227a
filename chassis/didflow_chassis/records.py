"""Kafka records as the database stores them: a record that was read, a record to publish, headers as JSON."""

from base64 import b64decode, b64encode

import orjson
from msgspec import Struct

Headers = tuple[tuple[str, bytes | None], ...]


class Record(Struct, frozen=True):
    """One Kafka record, byte for byte. `topic` does not have the deployment's prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class OutboxRow(Struct, frozen=True):
    """One record to publish. If `headers` is None, it has the standard content type and no other header."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: str | None = None


def headers_to_json(headers: Headers) -> str:
    """Write headers for a jsonb column as pairs of name and base64 value, so that any bytes are preserved.

    NUL and lone surrogates in names are escaped.
    """
    return orjson.dumps([[escaped(name), _base64(value)] for name, value in headers]).decode()


def headers_from_json(text: str | None) -> Headers:
    """Read what `headers_to_json` wrote. None means that there are no headers."""
    if text is None:
        return ()
    return tuple((name, None if value is None else b64decode(value)) for name, value in orjson.loads(text))


def escaped(text: str) -> str:
    """Return a text that PostgreSQL can store: NUL and lone surrogates are written as escape sequences."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
