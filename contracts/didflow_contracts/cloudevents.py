"""Read the CloudEvents attributes of a Kafka record, in structured or binary mode.

Every function raises `BadEvent` for malformed input, and no other exception.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import orjson

from didflow_contracts.bounds import ATTRIBUTE

CONTENT_TYPE = "application/cloudevents+json"
"""Content type of a structured-mode value."""

MAX_HEADERS = 100

Headers: TypeAlias = Sequence[tuple[str | bytes, bytes | None]]

BadCode: TypeAlias = Literal[
    "no_value",
    "too_large",
    "bad_header",
    "not_json",
    "not_cloudevents",
    "unknown_type",
    "unsupported_version",
    "unexpected_source",
    "invalid_data",
    "subject_mismatch",
    "price_not_allowed",
]

OUR_SOURCES = "/didflow/"
"""The `source` of every didflow service begins with this, and no other source does."""

_PREFIX = "ce_"
_NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def is_our_source(source: str) -> bool:
    """Return True if the source is a didflow service. Any other source is an outside source."""
    return source.startswith(OUR_SOURCES)


class BadEvent(Exception):
    """The record is not an event that this consumer can read. `code` is stable; `reason` is for people."""

    def __init__(self, code: BadCode, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code: BadCode = code
        self.reason = reason


def read_record(value: bytes, headers: Headers) -> tuple[Mapping[str, Any], Any]:
    """Return the attributes and the JSON data of a record, in whichever mode it was sent."""
    texts = header_texts(headers)
    content_type = texts.get("content-type", "").partition(";")[0].strip().lower()
    if content_type.startswith("application/cloudevents") and content_type != CONTENT_TYPE:
        raise BadEvent("not_cloudevents", f"Content type {content_type} is not supported.")
    parsed = parse_json(value)
    if content_type != CONTENT_TYPE:
        binary = {name[len(_PREFIX) :]: text for name, text in texts.items() if name.startswith(_PREFIX)}
        if binary:
            return binary, parsed
    if not isinstance(parsed, dict):
        raise BadEvent("not_cloudevents", "The value is not a JSON object.")
    return parsed, _structured_data(parsed)


def header_texts(headers: Headers) -> dict[str, str]:
    """Return the headers by lower-case name. Raises BadEvent `bad_header` if a header is not UTF-8 text."""
    if len(headers) > MAX_HEADERS:
        raise BadEvent("bad_header", f"The record has {len(headers)} headers. The limit is {MAX_HEADERS}.")
    texts: dict[str, str] = {}
    for key, value in headers:
        name = _text(key, "A header name").lower()
        if name in texts and (name.startswith(_PREFIX) or name == "content-type"):
            raise BadEvent("bad_header", f"Header {name!r} is given twice.")
        texts[name] = _text(value, f"Header {name!r}")
    return texts


def parse_json(value: bytes) -> Any:
    """Parse JSON. Raises BadEvent `not_json`, also for a NUL character, which PostgreSQL text cannot hold."""
    if b"\\" in value and b"u0000" in value and _NUL_ESCAPE.search(value):
        raise BadEvent("not_json", "A string contains the NUL character.")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise BadEvent("not_json", f"The value is not JSON: {error}.") from None


def required_attribute(attributes: Mapping[str, Any], name: str) -> str:
    """Return an attribute that every event must have. Raises BadEvent `not_cloudevents` if it is missing."""
    text = optional_attribute(attributes, name)
    if not text:
        raise BadEvent("not_cloudevents", f"Attribute {name} is missing.")
    return text


def optional_attribute(attributes: Mapping[str, Any], name: str) -> str | None:
    """Return an attribute, or None if it is absent. Raises BadEvent `not_cloudevents` if it is not a short text."""
    text = attributes.get(name)
    if text is None or (isinstance(text, str) and len(text) <= ATTRIBUTE.most):
        return text
    raise BadEvent(
        "not_cloudevents", f"Attribute {name} is not a text of at most {ATTRIBUTE.most} characters."
    )


def sequence_attribute(attributes: Mapping[str, Any], source: str) -> int | None:
    """Return the sequence of an event of a didflow service; None if it has none.

    Raises BadEvent `unexpected_source` if another source gives one: with it, the source could outdate the events of
    others. Source: spec events, Outsiders' topics.
    """
    text = optional_attribute(attributes, "sequence")
    if text is None:
        return None
    if not is_our_source(source):
        raise BadEvent("unexpected_source", f"Source {source[:200]} may not give a sequence.")
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise BadEvent("not_cloudevents", "Attribute sequence is not a whole number from 1.")
    return int(text)


def _structured_data(parsed: Mapping[str, Any]) -> Any:
    encoded = parsed.get("data_base64")
    if encoded is None:
        return parsed.get("data")
    try:
        return parse_json(base64.b64decode(encoded, validate=True))
    except (ValueError, TypeError):
        raise BadEvent("invalid_data", "data_base64 is not base64.") from None


def _text(raw: str | bytes | None, what: str) -> str:
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        if text is None or "\x00" in text:
            raise BadEvent("bad_header", f"{what} is null or contains NUL.")
        if isinstance(raw, str):
            raw.encode()
    except UnicodeError:
        raise BadEvent("bad_header", f"{what} is not UTF-8.") from None
    return text
