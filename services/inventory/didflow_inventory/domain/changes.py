"""What a decision changed in a DID, field by field, as JSON values: the `what` of the history.

Fields inside an axis are named `axis.field`. What is derived is left out, but for the status that people see.
Values are compared before they are written as JSON: most of a DID stays as it is with each message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from didflow_contracts.event import Part
from didflow_inventory.domain.axes import RegistrationView, RoutingView, TermView
from didflow_inventory.domain.did import Assignment, Did

AXES: Final[Mapping[str, type]] = {
    "assigned": Assignment,
    "registration": RegistrationView,
    "routing": RoutingView,
    "term": TermView,
}
DERIVED: Final = frozenset(("seen", "said", "identity_id", "expires_at"))
PLAIN: Final = tuple(
    each.name
    for each in fields(Did)
    if each.name not in DERIVED and each.name not in AXES and not each.name.startswith("in_")
)
INNER: Final = {axis: tuple(each.name for each in fields(view)) for axis, view in AXES.items()}

_plain: Final = attrgetter(*PLAIN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One field's value before and after, as JSON; null before for a DID that is new."""

    before: Any
    after: Any


def changes(before: Did | None, after: Did | None) -> Mapping[str, Change]:
    """List what is different. A new DID is told by what it has: its empty fields are left out."""
    if after is None or before is after:
        return {}
    if before is None:
        return {name: Change(before=None, after=value) for name, value in facts(after).items() if value}
    return {name: Change(before=_json(old), after=_json(new)) for name, old, new in _different(before, after)}


def facts(did: Did) -> dict[str, Any]:
    """Give a DID's own fields as a flat JSON object; of what is derived, the status only."""
    flat = dict(zip(PLAIN, _plain(did), strict=True))
    for axis, names in INNER.items():
        view = getattr(did, axis)
        flat |= {f"{axis}.{name}": getattr(view, name, None) for name in names}
    return {name: _json(value) for name, value in flat.items() if value is not None}


def _different(before: Did, after: Did) -> Iterator[tuple[str, Any, Any]]:
    for name, old, new in zip(PLAIN, _plain(before), _plain(after), strict=True):
        if old is not new and old != new:
            yield name, old, new
    for axis, names in INNER.items():
        was, now = getattr(before, axis), getattr(after, axis)
        if was is now:
            continue
        for name in names:
            old, new = getattr(was, name, None), getattr(now, name, None)
            if old != new:
                yield f"{axis}.{name}", old, new


def _json(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple):
        return [_json(inner) for inner in value]
    if isinstance(value, Part):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {each.name: _json(getattr(value, each.name)) for each in fields(value)}
    return {str(name): _json(inner) for name, inner in value.items()}
