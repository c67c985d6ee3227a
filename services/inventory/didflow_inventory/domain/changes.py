"""The fields that a decision changed in a DID, for its history.

A field inside an axis is named `<axis>.<field>`. Derived fields are left out, except the status. Values are the
values of the state; they become JSON when the row is written.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, Final, TypeAlias

from msgspec import Struct

from didflow_inventory.domain.did import Assignment, Did
from didflow_inventory.domain.views import RegistrationView, RoutingView, TermView

Change: TypeAlias = Mapping[str, Any]
"""The value of one field `before` and `after`; `before` is null for a new DID."""

AXES: Final[Mapping[str, type[Struct]]] = {
    "assignment": Assignment,
    "registration": RegistrationView,
    "routing": RoutingView,
    "term": TermView,
}
DERIVED: Final = frozenset(("sequences", "published_status", "identity_id", "expires_at"))
PLAIN: Final = tuple(
    name
    for name in Did.__struct_fields__
    if name not in DERIVED and name not in AXES and not name.startswith("in_")
)
INNER: Final = {axis: view.__struct_fields__ for axis, view in AXES.items()}
LABELS: Final = {axis: tuple(f"{axis}.{name}" for name in names) for axis, names in INNER.items()}
NAMES: Final = (*PLAIN, *chain.from_iterable(LABELS.values()))

_plain_values: Final = attrgetter(*PLAIN)
_inner_values: Final = {axis: attrgetter(*names) for axis, names in INNER.items()}
_NO_VALUES: Final = {axis: (None,) * len(names) for axis, names in INNER.items()}


def changes(before: Did | None, after: Did | None) -> Mapping[str, Change]:
    """Return the changed fields. For a new DID these are the fields that are not empty."""
    if after is None or before is after:
        return {}
    if before is None:
        pairs = zip(NAMES, _values(after), strict=True)
        return {name: {"before": None, "after": value} for name, value in pairs if value}
    return {name: {"before": old, "after": new} for name, old, new in _differences(before, after)}


def fields_of(did: Did) -> dict[str, Any]:
    """Return the fields of a DID that the history records, without those that are None."""
    return {name: value for name, value in zip(NAMES, _values(did), strict=True) if value is not None}


def _values(did: Did) -> tuple[Any, ...]:
    """Return the values of all `NAMES`. The fields of an axis that is None are None."""
    values: tuple[Any, ...] = _plain_values(did)
    for axis, inner in _inner_values.items():
        view = getattr(did, axis)
        values += _NO_VALUES[axis] if view is None else inner(view)
    return values


def _differences(before: Did, after: Did) -> Iterator[tuple[str, Any, Any]]:
    for name, old, new in zip(PLAIN, _plain_values(before), _plain_values(after), strict=True):
        if old is not new and old != new:
            yield name, old, new
    for axis, names in INNER.items():
        was, now = getattr(before, axis), getattr(after, axis)
        if was is now:
            continue
        for name, label in zip(names, LABELS[axis], strict=True):
            old, new = getattr(was, name, None), getattr(now, name, None)
            if old != new:
                yield label, old, new
