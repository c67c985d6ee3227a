"""Find changes of a JSON Schema that break its users. A change that is not known to be harmless counts as breaking."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

ChangeKind: TypeAlias = Literal["removed", "retyped", "required", "narrowed", "redefined"]
Schema: TypeAlias = Mapping[str, Any]

_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "formatMinimum")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "formatMaximum")
_EXACT = ("pattern", "multipleOf", "uniqueItems")
_SUBSCHEMAS = ("items", "additionalProperties")
_CONDITIONS = ("not", "if", "then", "else")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One breaking change: its kind, its path and a detail."""

    kind: ChangeKind
    path: str
    detail: str

    def __str__(self) -> str:
        """Return the change as one line."""
        return f"{self.path}: {self.kind}: {self.detail}"


def breaking_changes(released: Mapping[str, Any], current: Mapping[str, Any]) -> list[Change]:
    """Return the breaking changes between two schemas, or between two tables `{"topics": {name: schema}}`.

    A new optional field does not break. A renamed field is reported as removed. These changes break: a field
    becomes required or gets another type or default; an enum value is removed; a bound, a pattern or a rule
    becomes tighter or is new. A wider bound does not break. Dates and instants are compared as texts.
    Source: spec events, Envelope.
    """
    if "topics" not in released:
        return list(_Comparison(released=released, current=current).of(released, current, "$"))
    changes: list[Change] = []
    for topic, schema in released["topics"].items():
        now = current["topics"].get(topic)
        if now is None:
            changes.append(Change(kind="removed", path=topic, detail="the topic is missing"))
        else:
            changes += _Comparison(released=schema, current=now).of(schema, now, topic)
    return changes


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """The two documents. Both are kept whole, because schemas contain references."""

    released: Schema
    current: Schema

    def of(self, before: Schema, after: Schema, path: str) -> Iterator[Change]:
        before, after = _resolved(before, self.released), _resolved(after, self.current)
        yield from _retyped(self._kinds(before, self.released), self._kinds(after, self.current), path)
        yield from _narrowed(before, after, path)
        yield from _redefined(before, after, path)
        yield from self._fields(before, after, path)
        yield from self._subschemas(before, after, path)
        yield from self._alternatives(before, after, path)

    def _fields(self, before: Schema, after: Schema, path: str) -> Iterator[Change]:
        was, now = before.get("properties", {}), after.get("properties", {})
        for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
            yield Change(kind="required", path=f"{path}.{name}", detail="was optional or unknown")
        for name, schema in was.items():
            if name in now:
                yield from self.of(schema, now[name], f"{path}.{name}")
            else:
                yield Change(kind="removed", path=f"{path}.{name}", detail="the field is missing")

    def _subschemas(self, before: Schema, after: Schema, path: str) -> Iterator[Change]:
        for word in _SUBSCHEMAS:
            was, now = before.get(word, True), after.get(word, True)
            if isinstance(was, Mapping) and isinstance(now, Mapping):
                yield from self.of(was, now, f"{path}[]")
            elif was != now and now is not True:
                yield Change(kind="narrowed", path=path, detail=f"{word} is tighter")

    def _alternatives(self, before: Schema, after: Schema, path: str) -> Iterator[Change]:
        if "anyOf" not in before:
            return
        for option in before["anyOf"]:
            attempts = [list(self.of(option, other, path)) for other in after.get("anyOf", [after])]
            if all(attempts):
                yield from min(attempts, key=lambda found: (found[0].kind == "retyped", len(found)))

    def _kinds(self, schema: Schema, document: Schema) -> frozenset[str]:
        if "anyOf" in schema:
            options = (self._kinds(_resolved(each, document), document) for each in schema["anyOf"])
            return frozenset[str]().union(*options)
        form = f":{schema['format']}" if "format" in schema else ""
        return frozenset({f"{schema.get('type', 'any')}{form}"})


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = {**document["$defs"][name], **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _retyped(before: frozenset[str], after: frozenset[str], path: str) -> Iterator[Change]:
    if before != after:
        detail = f"{' or '.join(sorted(before))} became {' or '.join(sorted(after))}"
        yield Change(kind="retyped", path=path, detail=detail)


def _narrowed(before: Schema, after: Schema, path: str) -> Iterator[Change]:
    for word in _tighter(before, after):
        detail = f"{word}: {before.get(word, 'none')} became {after[word]}"
        yield Change(kind="narrowed", path=path, detail=detail)
    was, now = _values(before), _values(after)
    gone = [value for value in was or () if now is not None and value not in now]
    if gone or (was is None and now is not None):
        yield Change(kind="narrowed", path=path, detail=f"values no longer allowed: {gone or 'all others'}")


def _tighter(before: Schema, after: Schema) -> Iterator[str]:
    for word in _LOWER_BOUNDS:
        if word in after and (word not in before or after[word] > before[word]):
            yield word
    for word in _UPPER_BOUNDS:
        if word in after and (word not in before or after[word] < before[word]):
            yield word
    for word in (*_EXACT, *_CONDITIONS):
        if word in after and after[word] != before.get(word):
            yield word
    if any(rule not in before.get("allOf", ()) for rule in after.get("allOf", ())):
        yield "allOf"


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _redefined(before: Schema, after: Schema, path: str) -> Iterator[Change]:
    if "default" in before and before["default"] != after.get("default", before["default"]):
        detail = f"the default was {before['default']!r} and is now {after['default']!r}"
        yield Change(kind="redefined", path=path, detail=detail)
