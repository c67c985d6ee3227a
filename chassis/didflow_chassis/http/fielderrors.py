"""From what pydantic found wrong with an input to field errors with codes of our own, stable across its releases."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from didflow_chassis.http.problems import FieldError

_PLACES = {"body", "query", "path", "header", "cookie"}
_OWN = frozenset(get_args(ErrorType))
_CODES: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "too_short": "too_few",
    "too_long": "too_many",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "format_invalid",
    "enum": "not_allowed",
    "literal_error": "not_allowed",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
}


def field_errors(found: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Translate pydantic's errors. The code of a `PydanticCustomError` is kept as it is."""
    return [
        FieldError(field=field_path(e["loc"]), code=_code(e["type"]), message=_message(e["msg"]))
        for e in found
    ]


def field_path(place: Sequence[str | int]) -> str:
    """Write a location as a dotted path, without saying which part of the request it was in."""
    inner = place[1:] if place and place[0] in _PLACES else place
    return ".".join(str(part) for part in inner)


def _code(kind: str) -> str:
    if kind not in _OWN:
        return kind
    if kind.endswith(("_type", "_parsing")):
        return "type_invalid"
    return _CODES.get(kind, "value_invalid")


def _message(text: str) -> str:
    return text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
