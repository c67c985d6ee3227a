"""What a decision changed in a DID, field by field, as JSON values: the `what` of the history.

Fields inside an axis are named `axis.field`. What is derived is left out, but for the status that people see.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from didflow_contracts.event import Part
from didflow_inventory.domain.did import Did

DERIVED: Final = frozenset(("seen", "said", "identity_id", "expires_at"))
AXES: Final = ("registration", "routing", "term", "assigned")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One field's value before and after, as JSON; null before for a DID that is new."""

    before: Any
    after: Any


def changes(before: Did | None, after: Did | None) -> Mapping[str, Change]:
    """List what is different. A new DID is told by what it has: its empty fields are left out."""
    if after is None or before == after:
        return {}
    old = facts(before) if before else {}
    new = facts(after) if before else {name: value for name, value in facts(after).items() if value}
    pairs = {name: Change(before=old.get(name), after=new.get(name)) for name in sorted({*old, *new})}
    return {name: change for name, change in pairs.items() if change.before != change.after}


def facts(did: Did) -> dict[str, Any]:
    """Give a DID's own fields as a flat JSON object; of what is derived, the status only."""
    return {name: value for name, value in _flat(did) if value is not None}


def _flat(did: Did) -> Iterator[tuple[str, Any]]:
    for each in fields(did):
        value = getattr(did, each.name)
        if each.name in AXES and value is not None:
            yield from (
                (f"{each.name}.{inner.name}", _json(getattr(value, inner.name))) for inner in fields(value)
            )
        elif each.name not in DERIVED and not each.name.startswith("in_"):
            yield each.name, _json(value)


def _json(value: Any) -> Any:
    if isinstance(value, Part):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {each.name: _json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_json(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value
