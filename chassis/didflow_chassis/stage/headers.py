"""Record headers as they lie in a jsonb column: pairs of name and base64, so that any bytes survive."""

from base64 import b64decode, b64encode

import orjson

from didflow_chassis.stage.messages import Headers


def to_json(headers: Headers) -> str:
    """Write headers for a jsonb column; NUL and lone surrogates in names are escaped, not lost."""
    return orjson.dumps([[_safe(name), _encoded(value)] for name, value in headers]).decode()


def from_json(text: str | None) -> Headers:
    """Read what `to_json` wrote."""
    if text is None:
        return ()
    return tuple((name, None if value is None else b64decode(value)) for name, value in orjson.loads(text))


def _encoded(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _safe(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
