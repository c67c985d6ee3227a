"""Values at and beyond the bounds of a JSON Schema: of the data of an event, or of the body of a request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Choose: TypeAlias = Callable[[Sequence[Any]], Any]
"""Returns one of the values at the bounds, from the least to the most."""

Path: TypeAlias = tuple[str | int, ...]

IDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")
WIDE = "\U0001f600"
"""A character of four bytes."""

PATTERNS: Mapping[str, Sequence[str]] = {
    r"^\+[1-9][0-9]{6,14}$": ("+3531234", "+35319609036", "+" + "9" * 15),
    r"^[a-z0-9-]{1,63}(/[a-z0-9-]{1,63}){0,15}$": ("a", "/".join(["a" * 31] * 16)),
    r"^[A-Z]{2}$": ("AA", "IE", "ZZ"),
    r"^([A-Z]{2}|\*)$": ("*", "AA", "ZZ"),
    r"^[A-Z]{3}$": ("AED", "EUR", "ZWG"),
    r"^2[0-9]{3}-(0[1-9]|1[0-2])$": ("2000-01", "2999-12"),
    r"^-?([0-9]{1,9}(\.[0-9]{1,9})?|1000000000(\.0{1,9})?)$": (
        "0",
        "0.000000001",
        "999999999.999999999",
        "1000000000",
        "1000000000.000000000",
    ),
    r"^sips?:(?:((?:[A-Za-z0-9._~+*-]|%(?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e])){1,64})@)?"
    r"([A-Za-z0-9.-]{1,190}|\[[0-9A-Fa-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?"
    r"((?:;[A-Za-z0-9-]{1,32}(?:=[A-Za-z0-9._~+-]{1,64})?){0,8})$": (
        "sip:a.b",
        f"sips:{'u' * 50}@{'.'.join(['h' * 62] * 3)}:65535",
    ),
    "^[!-~]{1,15}$": ("!", "~" * 15),
    r"^[a-z][a-z0-9_]{0,63}$": ("a", "a" * 64),
}
"""A pattern -> the shortest and the longest texts that have this form, or the lowest and the highest amounts."""

FORMATS: Mapping[str, Sequence[str]] = {"uuid": IDS, "binary": ("",)}
BEYOND_A_DATE = ("0000-01-01", "0001-01-01", "10000-01-01")
BEYOND_AN_INSTANT = (
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "1969-12-31T23:59:59.999999Z",
    "2200-01-01T00:00:00.000001Z",
    "9999-12-31T23:59:59-23:59",
)
NOT_AN_INTEGER = (True, 1.5, "1", 2**63, 10**30)


def value_in(schema: Any, root: Schema, choose: Choose) -> Any:
    """Return a value that the schema allows, at its bounds. `root` has the definitions."""
    schema = resolved(schema, root)
    options = [option for word in ("anyOf", "oneOf") for option in schema.get(word, ())]
    if options:
        return value_in(choose(options[::-1]), root, choose)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return choose(schema["enum"])
    return _OF_TYPE[schema.get("type", "null")](schema, root, choose)


def _object(schema: Schema, root: Schema, choose: Choose) -> dict[str, Any]:
    return {name: value_in(each, root, choose) for name, each in schema.get("properties", {}).items()}


def _array(schema: Schema, root: Schema, choose: Choose) -> list[Any]:
    length = choose([schema.get("minItems", 0), schema["maxItems"]])
    items = resolved(schema["items"], root)
    is_small = items.get("type") != "object" and items.get("maxLength", 0) < 1_000
    return [value_in(items, root, choose) for _ in range(length if is_small else min(length, 20))]


def _string(schema: Schema, root: Schema, choose: Choose) -> str:
    kind = schema.get("format", "")
    if kind in ("date", "date-time"):
        return str(choose([schema["formatMinimum"], schema["formatMaximum"]]))
    if kind in FORMATS:
        return str(choose(FORMATS[kind]))
    pattern = schema.get("pattern", "")
    if pattern in PATTERNS:
        return str(choose(PATTERNS[pattern]))
    least, most = schema.get("minLength", 0), schema["maxLength"]
    return str(choose(["x" * least, "x" * most, '"' * most, WIDE * most]))


_OF_TYPE: Mapping[str, Callable[[Schema, Schema, Choose], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": lambda schema, _, choose: choose([int(schema.get("minimum", 0)), int(schema["maximum"])]),
    "boolean": lambda _schema, _root, choose: choose([False, True]),
    "null": lambda _schema, _root, _choose: None,
}


def beyond(schema: Any, root: Schema, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each place in a value of the schema with values that lie beyond its bounds there."""
    schema = resolved(schema, root)
    options = [option for word in ("anyOf", "oneOf") for option in schema.get(word, ())]
    types = [resolved(option, root).get("type") for option in options]
    for option in options:
        for place, value in beyond(option, root, path):
            if not (place == path and "integer" in types and value == 7):
                yield place, value
    for name, each in schema.get("properties", {}).items():
        yield from beyond(each, root, (*path, name))
    for value in _beyond_leaf(schema, root):
        yield path, value


def _beyond_leaf(schema: Schema, root: Schema) -> Iterator[Any]:
    kind = schema.get("type")
    if kind == "integer" and "enum" not in schema and "const" not in schema:
        yield from (int(schema.get("minimum", 0)) - 1, int(schema["maximum"]) + 1, *NOT_AN_INTEGER)
    elif kind == "boolean":
        yield from (0, 1, "true")
    elif kind == "array":
        item = value_in(schema["items"], root, lambda values: values[0])
        yield [item] * (schema["maxItems"] + 1)
    elif kind == "string":
        yield from _beyond_text(schema)


def _beyond_text(schema: Schema) -> Iterator[Any]:
    yield from (7, True)
    if schema.get("format") == "date-time":
        yield from BEYOND_AN_INSTANT
    elif schema.get("format") == "date":
        yield from BEYOND_A_DATE
    elif schema.get("pattern", "").startswith("^-?("):
        yield from ("1000000000.01", "-1000000000.01", "9" * 30, 10.0)
    elif "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
        if schema.get("minLength"):
            yield ""


def with_value(whole: Any, path: Path, value: Any) -> Any:
    """Return a copy of a value in which another one stands at a path. Objects on the way are made."""
    if not path:
        return value
    name, *rest = path
    inner = whole if isinstance(whole, dict) else {}
    return {**inner, name: with_value(inner.get(name), tuple(rest), value)}


def resolved(schema: Any, root: Schema) -> Schema:
    """Return the schema that a reference refers to."""
    while "$ref" in schema:
        *_, section, name = str(schema["$ref"]).split("/")
        found = root["$defs"] if section == "$defs" else root["components"]["schemas"]
        schema = {**found[name], **{key: each for key, each in schema.items() if key != "$ref"}}
    found_schema: Schema = schema
    return found_schema
