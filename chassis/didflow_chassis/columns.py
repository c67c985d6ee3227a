"""The columns of a model: which field of a state, or of one of its parts, stands in which column of a row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

S = TypeVar("S")


class Field(NamedTuple):
    """One field of a model: a column of its own or, if it has a `part`, a value whose fields are the columns."""

    name: str
    part: type | None
    columns: tuple[str, ...]


class Columns(Generic[S]):
    """The columns of a struct or a dataclass, in the order of its fields.

    `parts` names the fields that have no column of their own. The fields of their values are columns instead; the
    values are structs or dataclasses, never None. Raises ValueError if two fields have the same column, and KeyError if
    the model lacks a part.

    A dataclass field with `init=False` is computed by the constructor. A state of a row has it as it was stored.
    """

    def __init__(self, model: type[S], parts: Sequence[str] = ()) -> None:
        self._model = model
        self._hints = get_type_hints(model, include_extras=True)
        models = {name: self._hints[name] for name in parts}
        self._fields = tuple(
            Field(name, models.get(name), _names(models[name]) if name in models else (name,))
            for name in _names(model)
        )
        self._is_restored = is_dataclass(model) and not all(field.init for field in fields(model))
        self._is_plain = not parts and not self._is_restored
        self.names = tuple(chain.from_iterable(field.columns for field in self._fields))
        if repeated := {name for name in self.names if self.names.count(name) > 1}:
            raise ValueError(f"{model.__name__} has two fields for the columns {sorted(repeated)}")

    def hints(self) -> Mapping[str, Any]:
        """Return the type of each column's field."""
        found: dict[str, Any] = {}
        for field in self._fields:
            hints = self._hints if field.part is None else get_type_hints(field.part, include_extras=True)
            found |= {name: hints[name] for name in field.columns}
        return found

    def reader(self, column: str) -> Callable[[S], Any]:
        """Return the function that reads the value of a column from a state."""
        field = next(field for field in self._fields if column in field.columns)
        return attrgetter(column if field.part is None else f"{field.name}.{column}")

    def values_of(self, states: Sequence[S]) -> list[list[Any]]:
        """Return the values of each column."""
        found: list[list[Any]] = []
        for name, part, columns in self._fields:
            values = list(map(attrgetter(name), states))
            found += [values] if part is None else [list(map(attrgetter(c), values)) for c in columns]
        return found

    def state_of(self, values: Iterator[Any]) -> S:
        """Take the values of the columns, and return their state. Values that follow are not taken."""
        if self._is_plain:
            return self._model(**dict(zip(self.names, values)))  # noqa: B905 - one value for each name
        found = {
            name: next(values) if part is None else part(**dict(zip(columns, values)))  # noqa: B905
            for name, part, columns in self._fields
        }
        return _restored(self._model, found) if self._is_restored else self._model(**found)


def _names(model: type) -> tuple[str, ...]:
    known: tuple[str, ...] | None = getattr(model, "__struct_fields__", None)
    return known or tuple(field.name for field in fields(model))


def _restored(model: type[S], values: Mapping[str, Any]) -> S:
    """Return a state with these values. Its constructor, which would compute some of them again, is not called."""
    state = object.__new__(model)
    for name, value in values.items():
        object.__setattr__(state, name, value)
    return state
