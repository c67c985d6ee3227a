"""What caused an entry of the history: an event, a command or a due timer."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from didflow_chassis.decision import Command
from didflow_contracts.assignments import Assignment
from didflow_contracts.cloudevents import OUR_SOURCES
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EnduserAssigned, ServiceChanged
from didflow_contracts.events.purchase import Acquisition
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.routing import RoutingAxis
from didflow_contracts.events.term import TermAxis
from didflow_contracts.ownership import is_from_didflow
from didflow_inventory.domain.commands import RebuildDid
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.holding.commands import DID_COMMANDS
from didflow_inventory.domain.packages.commands import FollowPackage
from didflow_inventory.domain.views import RegistrationView, RoutingView, ServiceView, TermView

FIELDS_OF_EVERY_EVENT: Final = frozenset(EventData.model_fields)
IN_VIEW: Final[Mapping[type[EventData], frozenset[str]]] = {
    Acquisition: frozenset(Holding.__struct_fields__),
    EnduserAssigned: frozenset(Assignment.__struct_fields__),
    RegistrationAxis: frozenset((*RegistrationView.__struct_fields__, "registration")),
    RoutingAxis: frozenset(RoutingView.__struct_fields__),
    ServiceChanged: frozenset((*ServiceView.__struct_fields__, "service")),
    TermAxis: frozenset(TermView.__struct_fields__),
}
"""A class of events -> its fields that a DID has. Entries of these and of all other events keep the other fields."""

OTHER_TYPES: Final[Mapping[type, str]] = {
    RebuildDid: "job.rebuild",
    FollowPackage: "job.follow_package",
    **DID_COMMANDS,
}
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
    """Return the fields of an event that no DID has. A known field that says nothing is left out.

    A price comes with its `payer`, as a charge does: who may read the one may read the other.
    """
    data: dict[str, Any] = msgspec.json.decode(event.raw_data)
    model = type(event.data)
    kept, known = data.keys() - _names_in_view(model), model.model_fields
    extra = {
        name: value
        for name, value in data.items()
        if name in kept and (value is not None or name not in known)
    }
    return extra | {"payer": event.data.account} if "price" in extra else extra


def _actor_of_source(event: Event[EventData]) -> str:
    return f"service:{event.source.removeprefix(OUR_SOURCES)}" if is_from_didflow(event) else event.source


@cache
def _names_in_view(model: type[EventData]) -> frozenset[str]:
    names = (names for parent, names in IN_VIEW.items() if issubclass(model, parent))
    return FIELDS_OF_EVERY_EVENT.union(*names)
