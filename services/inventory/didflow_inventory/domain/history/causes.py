"""What caused an entry of the history: an event, a command or a due timer."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from didflow_chassis.decision import Command
from didflow_contracts.cloudevents import OUR_SOURCES
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import LedgerPosted, MessageRefused, ResultReported
from didflow_contracts.ownership import is_from_didflow
from didflow_inventory.domain.commands import RebuildDid
from didflow_inventory.domain.holding.commands import DID_COMMANDS

FIELDS_OF_EVERY_EVENT: Final = frozenset(EventData.model_fields)
KEPT_WHOLE: Final = (LedgerPosted, MessageRefused, ResultReported)
"""Events that belong to no axis of a view. Their entries keep all their fields."""

OTHER_TYPES: Final[Mapping[type, str]] = {RebuildDid: "job.rebuild", **DID_COMMANDS}
"""The `type` of the entries of some commands. The others are `http.<name of the command>`."""

_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an entry that say what caused it. They are explained in `HistoryEntry`."""

    at: datetime
    type: str
    actor: str
    source: str | None = None
    event_id: str | None = None
    event_sequence: int | None = None
    causation_id: str | None = None
    claimed_actor: str | None = None


def cause_of(message: Event[Any] | Command | None, timer: str, now: datetime) -> Cause:
    """Return the cause of an entry. Without a message it is the due timer of this name."""
    if message is None:
        return Cause(at=now, type=f"timer.{timer}", actor="service:inventory")
    if isinstance(message, Command):
        return Cause(
            at=now,
            type=OTHER_TYPES.get(type(message)) or http_type(type(message).__name__),
            actor=message.caller.actor,
        )
    return Cause(
        at=message.time,
        type=message.type,
        actor=message.actor or _actor_of_source(message),
        source=message.source,
        event_id=message.id,
        event_sequence=message.sequence,
        causation_id=message.causationid,
        claimed_actor=message.claimed_actor,
    )


@cache
def http_type(name: str) -> str:
    """Return the `type` of the entries of a command with this class name."""
    return f"http.{_WORD.sub('_', name).lower()}"


def extra_of(event: Event[EventData]) -> Mapping[str, Any]:
    """Return the fields of an event that are in no view."""
    data: dict[str, Any] = msgspec.json.decode(event.raw_data)
    names = _names_in_view(type(event.data))
    if data.keys() <= names:
        return {}
    return {name: value for name, value in data.items() if name not in names}


def _actor_of_source(event: Event[EventData]) -> str:
    return f"service:{event.source.removeprefix(OUR_SOURCES)}" if is_from_didflow(event) else event.source


@cache
def _names_in_view(model: type[EventData]) -> frozenset[str]:
    return FIELDS_OF_EVERY_EVENT if model in KEPT_WHOLE else frozenset(model.model_fields)
