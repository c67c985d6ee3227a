"""CloudEvents attributes, out of Kafka headers or a JSON value. What is malformed is a `BadEvent`."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from didflow_contracts.badevent import BadEvent

CONTENT_TYPE = "application/cloudevents+json"
"""Content type of a structured-mode value."""

MAX_HEADERS = 100
MAX_ATTRIBUTE_CHARS = 1024

Headers: TypeAlias = Sequence[tuple[str | bytes, bytes | None]]

_PREFIX = "ce_"
_NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_OUR_SOURCES = "/didflow/"


def read(value: bytes, headers: Headers) -> tuple[Mapping[str, Any], Any]:
    """Split a record into its attributes and its JSON data, in whichever mode it was sent."""
    named = header_texts(headers)
    content_type = named.get("content-type", "").partition(";")[0].strip().lower()
    if content_type.startswith("application/cloudevents") and content_type != CONTENT_TYPE:
        raise BadEvent("not_cloudevents", f"content type {content_type} is not taken")
    parsed = parse_json(value)
    if content_type != CONTENT_TYPE:
        binary = {name[len(_PREFIX) :]: text for name, text in named.items() if name.startswith(_PREFIX)}
        if binary:
            return binary, parsed
    if not isinstance(parsed, dict):
        raise BadEvent("not_cloudevents", "the value is not a JSON object")
    return parsed, _structured_data(parsed)


def header_texts(headers: Headers) -> dict[str, str]:
    """Read headers as lower-case name -> text. Raises BadEvent `bad_header` if any of them is not text."""
    if len(headers) > MAX_HEADERS:
        raise BadEvent("bad_header", f"{len(headers)} headers are more than {MAX_HEADERS}")
    texts: dict[str, str] = {}
    for key, value in headers:
        name = _text(key, "a header name").lower()
        if name in texts and (name.startswith(_PREFIX) or name == "content-type"):
            raise BadEvent("bad_header", f"header {name!r} comes twice")
        texts[name] = _text(value, f"header {name!r}")
    return texts


def parse_json(value: bytes) -> Any:
    """Parse JSON. Raises BadEvent `not_json`, also for a NUL character, which no database text can hold."""
    if b"\\" in value and b"u0000" in value and _NUL_ESCAPE.search(value):
        raise BadEvent("not_json", "a string holds the NUL character")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise BadEvent("not_json", str(error)) from None


def required(attributes: Mapping[str, Any], name: str) -> str:
    """Read an attribute that every event has. Raises BadEvent `not_cloudevents`."""
    text = optional(attributes, name)
    if not text:
        raise BadEvent("not_cloudevents", f"attribute {name} is missing")
    return text


def optional(attributes: Mapping[str, Any], name: str) -> str | None:
    """Read an attribute that may be absent. Raises BadEvent `not_cloudevents` if it is no short text."""
    text = attributes.get(name)
    if text is None or (isinstance(text, str) and len(text) <= MAX_ATTRIBUTE_CHARS):
        return text
    raise BadEvent("not_cloudevents", f"attribute {name} is not a text of {MAX_ATTRIBUTE_CHARS} at most")


def sequence(attributes: Mapping[str, Any], source: str) -> int | None:
    """Read the count that our services give; another source's own `sequence` means nothing to us."""
    if not source.startswith(_OUR_SOURCES):
        return None
    text = optional(attributes, "sequence")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise BadEvent("not_cloudevents", "attribute sequence is not a count from 1")
    return int(text)


def _structured_data(parsed: Mapping[str, Any]) -> Any:
    encoded = parsed.get("data_base64")
    if encoded is None:
        return parsed.get("data")
    try:
        return parse_json(base64.b64decode(encoded, validate=True))
    except (ValueError, TypeError):
        raise BadEvent("invalid_data", "data_base64 is not base64") from None


def _text(raw: str | bytes | None, what: str) -> str:
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        if text is None or "\x00" in text:
            raise BadEvent("bad_header", f"{what} is null or holds NUL")
        if isinstance(raw, str):
            raw.encode()
    except UnicodeError:
        raise BadEvent("bad_header", f"{what} is not UTF-8") from None
    return text
