"""What is wrong with the input: unknown names, and the errors that pydantic finds, as field errors.

Codes and messages belong to didflow, so a new release of pydantic does not change them. Messages are sentences and
never contain a regular expression. `field` is never empty.
Source: spec http.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import ErrorType, custom_error_schema

from didflow_chassis.http.problems import SEE_ERRORS, FieldError, Problem
from didflow_contracts.near_misses import nearest
from didflow_contracts.validation_errors import field_of, message_of

BODY: Final = "body"
"""The name in `field` for an error that concerns no single field of the body."""

MIN_SIMILARITY: Final = 0.6
"""How much a known name must resemble an unknown one, from 0 to 1, to be suggested."""

_PYDANTIC_TYPES: Final = frozenset(get_args(ErrorType))
_CODES: Final[Mapping[str, str]] = {
    "missing": "missing",
    "union_tag_not_found": "missing",
    "extra_forbidden": "unknown_field",
    "too_short": "too_few",
    "too_long": "too_many",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "format_invalid",
    "enum": "not_allowed",
    "literal_error": "not_allowed",
    "union_tag_invalid": "not_allowed",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
}
_MESSAGES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "union_tag_not_found": "This field is required.",
    "too_short": "List at least {min_length}; there are {actual_length}.",
    "too_long": "List at most {max_length}; there are {actual_length}.",
    "string_too_short": "Write a text of at least {min_length} characters.",
    "string_too_long": "Write a text of at most {max_length} characters.",
    "enum": "Use one of these values: {expected}.",
    "literal_error": "Use one of these values: {expected}.",
    "union_tag_invalid": "Use one of these values: {expected_tags}.",
    "greater_than": "Use a value greater than {gt}.",
    "greater_than_equal": "Use a value of at least {ge}.",
    "less_than": "Use a value less than {lt}.",
    "less_than_equal": "Use a value of at most {le}.",
    "none_required": "Use null.",
}
_TYPE_MESSAGES: Final[Mapping[str, str]] = {
    "bool": "Use true or false.",
    "int": "Use a whole number.",
    "float": "Use a number.",
    "decimal": "Use a number.",
    "string": "Use a text.",
    "uuid": "Use a UUID, such as 01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10.",
    "date": "Use a date, such as 2026-10-01.",
    "datetime": "Use an instant with an offset, such as 2026-10-01T12:00:00Z.",
    "list": "Use a list.",
    "tuple": "Use a list.",
    "set": "Use a list.",
    "frozen": "Use a list.",
    "dict": "Use an object.",
    "model": "Use an object.",
}


@dataclass(frozen=True)
class ErrorMessage:
    """Annotation of a text type: the sentence that an error shows instead of the pattern of the type.

    Example: `Annotated[str, Field(pattern=...), ErrorMessage("Write a country code of two capital letters.")]`.
    """

    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type with this error message."""
        return custom_error_schema(
            handler(source), custom_error_type="format_invalid", custom_error_message=self.message
        )


def invalid_input(found: Sequence[Mapping[str, Any]], given: Any = None) -> Problem:
    """Return the problem for pydantic's errors. Unknown fields are reported first and alone.

    `given` is the input that was validated. It is needed to leave the names of union members out of field paths.
    """
    unknown = [error for error in found if error["type"] == "extra_forbidden"]
    if unknown:
        fields = [_unknown_field(_path(error["loc"], given), ()) for error in unknown]
        return Problem("unknown_field", SEE_ERRORS, errors=fields)
    errors: dict[str, FieldError] = {}
    for error in (_field_error(each, given) for each in found):
        earlier = errors.get(error.field)
        errors[error.field] = error if earlier is None else _either(earlier, error)
    return Problem("input_invalid", SEE_ERRORS, errors=tuple(errors.values()))


def _either(first: FieldError, second: FieldError) -> FieldError:
    """Return one error for a value that fits no member of a union. The code is that of the first member."""
    other = second.message[:1].lower() + second.message[1:]
    return replace(first, message=f"{first.message} Or {other}")


def check_parameters(names: Iterable[str], known: Sequence[str]) -> None:
    """Raise Problem `unknown_parameter` if a query parameter is not known to the route."""
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        errors = [_unknown(name, name, known, "parameter") for name in unknown]
        raise Problem("unknown_parameter", errors[0].message, errors=errors)


def check_fields(annotation: Any, body: Any) -> None:
    """Raise Problem `unknown_field` if the body has a field that its type does not know, at any depth."""
    errors = list(_unknown_fields(annotation, body, ()))
    if errors:
        raise Problem("unknown_field", errors[0].message, errors=errors)


def names_of(annotation: Any) -> tuple[str, ...]:
    """Return the names of all fields of a model, or of the models of a union; nothing for any other type."""
    return tuple(
        dict.fromkeys(
            field.alias or name for model in _models(annotation) for name, field in model.model_fields.items()
        )
    )


def _unknown_fields(annotation: Any, value: Any, path: tuple[str, ...]) -> Iterator[FieldError]:
    if isinstance(value, list):
        for item_type in _item_types(annotation):
            for position, item in enumerate(value):
                yield from _unknown_fields(item_type, item, (*path, str(position)))
        return
    models = list(_models(annotation))
    if not (models and isinstance(value, Mapping)):
        return
    fitting = [model for model in models if _fits(model, value)] or models
    fields: dict[str, list[Any]] = {}
    for model in fitting:
        for name, field in model.model_fields.items():
            fields.setdefault(field.alias or name, []).append(field.annotation)
    for name, inner in value.items():
        if name not in fields:
            yield _unknown_field(".".join((*path, str(name))), tuple(fields))
            continue
        for inner_type in fields[name][:1]:
            yield from _unknown_fields(inner_type, inner, (*path, name))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a type allows: the type itself, or members of a union."""
    if get_origin(annotation) is Annotated:
        yield from _models(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _models(member)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _item_types(annotation: Any) -> Iterator[Any]:
    """Yield the types of items that contain models, for a list or for members of a union."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _item_types(arguments[0])
    elif origin in (Union, UnionType):
        for member in arguments:
            yield from _item_types(member)
    elif arguments and origin not in (Literal, dict) and any(_models(arguments[0])):
        yield arguments[0]


def _fits(model: type[BaseModel], value: Mapping[str, Any]) -> bool:
    """Return False if a field with fixed values, such as a discriminator, excludes this member of a union."""
    return all(
        value[name] in get_args(field.annotation)
        for name, field in model.model_fields.items()
        if name in value and get_origin(field.annotation) is Literal and isinstance(value[name], str)
    )


def _unknown_field(path: str, known: Sequence[str]) -> FieldError:
    return _unknown(path, path.rpartition(".")[2], known, "field")


def _unknown(path: str, name: str, known: Sequence[str], kind: str) -> FieldError:
    close = nearest(name, known, similarity=MIN_SIMILARITY)
    if close is not None:
        advice = f"Did you mean {close!r}?"
    elif known:
        advice = f"Known names: {', '.join(known)}."
    else:
        advice = "Leave it out."
    message = f"The {kind} {name[:100]!r} is unknown. {advice}"
    return FieldError(
        field=path or ("query" if kind == "parameter" else BODY), code=f"unknown_{kind}", message=message
    )


def _field_error(error: Mapping[str, Any], given: Any) -> FieldError:
    named = _named_field(error)
    loc, is_absent = (*error["loc"], *named), bool(named) or error["type"] == "missing"
    message = _message(error) if loc != (BODY,) or error["type"] != "missing" else "Send a body."
    path = _path(loc, given, is_absent=is_absent)
    return FieldError(field=path, code=_code(error["type"]), message=message)


def _named_field(error: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the field that an error of a whole object names."""
    if error["type"].startswith("union_tag"):
        return (error["ctx"]["discriminator"].strip("'"),)
    field = field_of(error)
    return (field,) if field else ()


def _path(loc: Sequence[str | int], given: Any, *, is_absent: bool = False) -> str:
    """Return the location as a dotted path in the input, without the part of the request that it is in.

    A part that is not in the input is the name of a union member, unless the error is about an absent field.
    """
    if loc[:1] != (BODY,):
        return str(loc[1] if len(loc) > 1 else loc[0])
    parts: list[str] = []
    for position, part in enumerate(loc[1:], start=2):
        if _contains(given, part):
            given = given[part]
        elif position < len(loc) or not (given is None or (is_absent and isinstance(given, Mapping))):
            continue
        parts.append(str(part))
    return ".".join(parts) or BODY


def _contains(given: Any, part: str | int) -> bool:
    if isinstance(given, list):
        return isinstance(part, int) and part < len(given)
    return isinstance(given, Mapping) and part in given


def _code(kind: str) -> str:
    if kind not in _PYDANTIC_TYPES:
        return kind
    if kind.endswith(("_type", "_parsing")):
        return "type_invalid"
    return _CODES.get(kind, "value_invalid")


def _message(error: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind in _MESSAGES:
        return _MESSAGES[kind].format(**error.get("ctx", {}))
    if kind in _PYDANTIC_TYPES and kind != "string_pattern_mismatch":
        for name, message in _TYPE_MESSAGES.items():
            if kind.startswith(f"{name}_") and kind.endswith(
                ("_type", "_parsing", "_version", "_from_float")
            ):
                return message
    return message_of(error)
