"""The things that the history tells about: how each is named there, and which of its fields are recorded.

Each kind of thing is one `Thing`, beside its state. `record.py` lists them.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

Change: TypeAlias = Mapping[str, Any]
"""The value of one field `before` and `after`; `before` is null for something new."""

Changes = Mapping[str, Change]
"""The changed fields."""

ThingName = Literal["did", "stock", "account", "user", "operator", "carrier", "reservation", "package"]
"""What an entry of the history is about: a DID, a number in stock, or another thing."""

MASKED: Final = "***"
"""What is recorded in the place of a personal value: that there was one, and not which."""


class Thing(Struct, frozen=True, kw_only=True):
    """One kind of thing, whose states are of the class `model`.

    `key_of` returns the key of a state, as its table has it. `account_of` returns the account to which the thing
    belongs, or None while it belongs to nobody: then nothing is recorded. `changes(before, after)` returns the changed
    fields; `before` is None for something new. `number_of` returns the phone number of the thing, if it has one.
    `timer` is what its due timer is called, if it has one: the `type` of the entry is `timer.<timer>`.
    """

    name: ThingName
    model: type
    key_of: Callable[[Any], Hashable]
    account_of: Callable[[Any], str | None]
    changes: Callable[[Any, Any], Changes]
    number_of: Callable[[Any], str | None] = lambda _: None
    timer: str = ""


def recorded_fields(
    model: type, *, without: Iterable[str] = (), masked: Iterable[str] = ()
) -> Callable[[Any, Any], Changes]:
    """Return the function that compares the fields of two states of a class. Of something new, it returns what is set.

    Fields in `without` are not recorded. Of fields in `masked` it is recorded that they changed, but not their values:
    only the row of the thing has personal data.
    """
    names = _names_of(model)
    recorded = tuple(name for name in names if name not in frozenset(without))
    hidden = frozenset(masked)

    def changes(before: Any, after: Any) -> Changes:
        pairs = ((name, getattr(before, name, None), getattr(after, name)) for name in recorded)
        return {
            name: {"before": _shown(name, old, hidden), "after": _shown(name, new, hidden)}
            for name, old, new in pairs
            if old != new and (new or before is not None)
        }

    return changes


def _names_of(model: Any) -> tuple[str, ...]:
    if is_dataclass(model):
        return tuple(field.name for field in fields(model))
    names: tuple[str, ...] = model.__struct_fields__
    return names


def _shown(name: str, value: Any, hidden: frozenset[str]) -> Any:
    return MASKED if name in hidden and value is not None else value
