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

    @property
    def size(self) -> int:
        """The bytes of the key, the value and the headers."""
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


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


def readable(data: bytes | None) -> str | None:
    """Return bytes as printable text without loss, for people. None stays None.

    A backslash is doubled. A byte that is not UTF-8 is written as `\\x` with two digits, all else as by `printable`.
    """
    return None if data is None else printable(data.decode("utf-8", "surrogateescape").replace("\\", "\\\\"))


def printable(text: str) -> str:
    """Return a text with every character that is not printable escaped, such as controls and changes of direction.

    It is written as `\\x` with two digits (ASCII), `\\u` with four or `\\U` with eight.
    """
    return text.translate({ord(c): _escape(ord(c)) for c in set(text) if not c.isprintable()})


def _escape(code: int) -> str:
    if code < 0x80 or 0xDC80 <= code <= 0xDCFF:  # a surrogate stands for one byte that is not UTF-8
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
