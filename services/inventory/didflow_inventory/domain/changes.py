"""The fields that a decision changed in a DID, for its history.

A field inside an axis is named `<axis>.<field>`. The listing is left out, except the status. Values are the values of
the state; they become JSON when the row is written.
"""

from collections.abc import Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from didflow_contracts.assignments import Assignment
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history.things import Change
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.views import RegistrationView, RoutingView, TermView

HOLDING: Final = tuple(
    n for n in Holding.__struct_fields__ if n not in ("holders", "assignment", "published_status")
)


class Axis:
    """A value inside the holding or the views whose fields are recorded one by one. It can be None."""

    def __init__(self, name: str, model: type[Struct]) -> None:
        self.value = attrgetter(name)
        self.labels = tuple(f"{name}.{field}" for field in model.__struct_fields__)
        self._fields = attrgetter(*model.__struct_fields__)

    def fields(self, value: Any) -> tuple[Any, ...]:
        """Return the values of the fields. They are None if there is no value."""
        found: tuple[Any, ...] = (None,) * len(self.labels) if value is None else self._fields(value)
        return found

    def changes(self, before: Struct, after: Struct) -> dict[str, Change]:
        """Return the changed fields."""
        old, new = self.value(before), self.value(after)
        return {} if old is new else _changes(self.labels, self.fields(old), self.fields(new))


ASSIGNMENT: Final = Axis("assignment", Assignment)
VIEWS: Final = (
    Axis("registration", RegistrationView),
    Axis("routing", RoutingView),
    Axis("term", TermView),
)
LABELS: Final = (
    *HOLDING,
    "services",
    "status",
    *ASSIGNMENT.labels,
    *chain.from_iterable(v.labels for v in VIEWS),
)

_holding: Final = attrgetter(*HOLDING)


def changes(before: Did | None, after: Did | None) -> Mapping[str, Change]:
    """Return the changed fields. For a new DID these are the fields that are not empty."""
    if after is None or before is after:
        return {}
    if before is None:
        pairs = zip(LABELS, _values(after), strict=True)
        return {name: {"before": None, "after": value} for name, value in pairs if value}
    changed: dict[str, Change] = {}
    if before.holding is not after.holding:
        changed |= _changes(HOLDING, _holding(before.holding), _holding(after.holding))
        changed |= ASSIGNMENT.changes(before.holding, after.holding)
    if before.views is not after.views:
        changed |= _changes(("services",), (before.views.services,), (after.views.services,))
        for view in VIEWS:
            changed |= view.changes(before.views, after.views)
    return changed | _changes(("status",), (before.listing.status,), (after.listing.status,))


def fields_of(did: Did) -> dict[str, Any]:
    """Return the fields of a DID that the history records, without those that are None."""
    return {name: value for name, value in zip(LABELS, _values(did), strict=True) if value is not None}


def _values(did: Did) -> tuple[Any, ...]:
    """Return the values of all `LABELS`."""
    holding, views = did.holding, did.views
    values = (*_holding(holding), views.services, did.listing.status, *ASSIGNMENT.fields(holding.assignment))
    for view in VIEWS:
        values += view.fields(view.value(views))
    return values


def _changes(labels: tuple[str, ...], old: tuple[Any, ...], new: tuple[Any, ...]) -> dict[str, Change]:
    return {
        label: {"before": was, "after": now}
        for label, was, now in zip(labels, old, new, strict=True)
        if was is not now and was != now
    }
