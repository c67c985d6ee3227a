"""Whether a view is behind or wrong, proved by inventory's history, which has every event that inventory received.

If inventory has received all events that the owner has numbered since a view was updated, and none of them carries the
axis, then nothing is on its way: the view and its owner differ although both know the same events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from didflow.consistency.axes import AXES, Axis
from didflow.consistency.codes import Disagreement
from didflow.consistency.snapshot import Snapshot
from didflow_contracts.cloudevents import OUR_SOURCES
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EVENT_TYPES

_RECORDED: Final = """
SELECT did_id, source, event_sequence, type FROM history
WHERE did_id = ANY($1::uuid[]) AND event_sequence IS NOT NULL AND starts_with(source, $2)
"""
_AXES: Final = {axis.name: axis for axis in AXES}

Recorded = Mapping[tuple[UUID, str], Mapping[int, type[EventData]]]
"""DID and source -> sequence -> the type of the event that inventory has recorded."""


async def proved(found: Snapshot, disagreements: Sequence[Disagreement]) -> list[Disagreement]:
    """Return the disagreements, those that are proved with the code of their axis instead of `view_behind`."""
    behind = {disagreement.did_id for disagreement in disagreements if disagreement.code == "view_behind"}
    if not behind or "inventory" not in found.connections:
        return list(disagreements)
    recorded = _by_sequence(await found.fetch("inventory", _RECORDED, list(behind), OUR_SOURCES))
    return [_proved(disagreement, recorded) for disagreement in disagreements]


def _proved(disagreement: Disagreement, recorded: Recorded) -> Disagreement:
    axis = _AXES.get(disagreement.axis or "")
    if (
        disagreement.code != "view_behind"
        or axis is None
        or disagreement.sequences is None
        or disagreement.did_id is None
    ):
        return disagreement
    heard, owned = disagreement.sequences
    events = recorded.get((disagreement.did_id, f"{OUR_SOURCES}{axis.owner}"), {})
    if any(number not in events for number in range(heard + 1, owned + 1)):
        return disagreement
    return (
        disagreement if _carried(axis, events, heard) else replace(disagreement, code=axis.code, certain=True)
    )


def _carried(axis: Axis, events: Mapping[int, type[EventData]], heard: int) -> bool:
    """Return True if an event after the heard one carries the axis."""
    return any(number > heard and issubclass(event, axis.carried_by) for number, event in events.items())


def _by_sequence(rows: Sequence[Any]) -> Recorded:
    found: dict[tuple[UUID, str], dict[int, type[EventData]]] = {}
    for row in rows:
        event = EVENT_TYPES.get(row["type"])
        if event is not None:
            found.setdefault((row["did_id"], row["source"]), {})[row["event_sequence"]] = event
    return found
