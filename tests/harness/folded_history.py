"""The fold of a history: applying the `after` of each entry, in order, gives the present thing."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import json


def fold(folded: dict[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Apply the changes of one entry. Each `before` must be what the earlier entries gave."""
    for name, change in as_json(changes).items():
        before = filled(folded.get(name))
        assert filled(change["before"]) == before, f"{name} was {before}, and not {change['before']}"
        folded[name] = change["after"]


def fold_all(entries: Iterable[Any]) -> dict[str, Any]:
    """Return what all entries of one thing give, without empty values."""
    folded: dict[str, Any] = {}
    for entry in entries:
        fold(folded, entry.changes)
    return filled_fields(folded)


def filled_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not empty. The entry of a new thing leaves out the others."""
    return {name: value for name, value in as_json(fields).items() if filled(value) is not None}


def filled(value: Any) -> Any:
    """Return the value, or None for each empty value. The number 0 is not empty."""
    return None if value is False or value in ("", [], {}) else value


def as_json(value: Any) -> Any:
    """Return JSON values."""
    return json.decode(json.encode(value, enc_hook=lambda model: model.model_dump(mode="json")))
