"""What a decision changed in a DID, field by field: the `what` of the history.

Fields inside an axis are named `axis.field`. What is derived is left out, but for the status that people see.
Values are the state's own; they become JSON where the row is written.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, Final, TypeAlias

from msgspec import Struct

from didflow_inventory.domain.axes import RegistrationView, RoutingView, TermView
from didflow_inventory.domain.did import Assignment, Did

Change: TypeAlias = Mapping[str, Any]
"""One field's value `before` and `after`; null before for a DID that is new."""

AXES: Final[Mapping[str, type[Struct]]] = {
    "assigned": Assignment,
    "registration": RegistrationView,
    "routing": RoutingView,
    "term": TermView,
}
DERIVED: Final = frozenset(("seen", "said", "identity_id", "expires_at"))
PLAIN: Final = tuple(
    name
    for name in Did.__struct_fields__
    if name not in DERIVED and name not in AXES and not name.startswith("in_")
)
INNER: Final = {axis: view.__struct_fields__ for axis, view in AXES.items()}
LABELS: Final = {axis: tuple(f"{axis}.{name}" for name in names) for axis, names in INNER.items()}
NAMES: Final = (*PLAIN, *chain.from_iterable(LABELS.values()))

_plain: Final = attrgetter(*PLAIN)
_inner: Final = {axis: attrgetter(*names) for axis, names in INNER.items()}
_unset: Final = {axis: (None,) * len(names) for axis, names in INNER.items()}


def changes(before: Did | None, after: Did | None) -> Mapping[str, Change]:
    """List what is different. A new DID is told by what it has: its empty fields are left out."""
    if after is None or before is after:
        return {}
    if before is None:
        told = zip(NAMES, _values(after), strict=True)
        return {name: {"before": None, "after": value} for name, value in told if value}
    return {name: {"before": old, "after": new} for name, old, new in _different(before, after)}


def facts(did: Did) -> dict[str, Any]:
    """Give a DID's own fields that are set, flat; of what is derived, the status only."""
    return {name: value for name, value in zip(NAMES, _values(did), strict=True) if value is not None}


def _values(did: Did) -> tuple[Any, ...]:
    """Give the values of all `NAMES`; nothing is set in an axis that is not there."""
    values: tuple[Any, ...] = _plain(did)
    for axis, inner in _inner.items():
        view = getattr(did, axis)
        values += _unset[axis] if view is None else inner(view)
    return values


def _different(before: Did, after: Did) -> Iterator[tuple[str, Any, Any]]:
    for name, old, new in zip(PLAIN, _plain(before), _plain(after), strict=True):
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
