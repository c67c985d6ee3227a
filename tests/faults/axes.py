"""I8: compare the four axes in the latest events with the states of their owners and with inventory's view."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from faults.evidence import Evidence, PublishedEvent

from didflow_chassis.states import Stored
from didflow_contracts import events as e
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.routing import RoutingAxis
from didflow_contracts.events.term import TermAxis

Values = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis: its owner, the events that carry all of it, and the functions that read its values."""

    owner: str
    carried_by: type[Any]
    published_values: Callable[[Any], Values]
    owner_values: Callable[[Any], Values]
    view_values: Callable[[Any], Values]


def _voice_of(routing: Any) -> UUID | None:
    found: UUID | None = routing.voice.delivery.id if routing.voice else None
    return found


AXES: Final[Mapping[str, Axis]] = {
    "stock": Axis(
        owner="inventory",
        carried_by=e.DidChanged,
        published_values=lambda data: (data.stock, data.account),
        owner_values=lambda did: (did.holding.stock, did.holding.account),
        view_values=lambda did: (did.holding.stock, did.holding.account),
    ),
    "registration": Axis(
        owner="verification",
        carried_by=RegistrationAxis,
        published_values=lambda data: (data.registration,),
        owner_values=lambda registration: (registration.state,),
        view_values=lambda did: (did.views.registration.state,),
    ),
    "term": Axis(
        owner="billing",
        carried_by=TermAxis,
        published_values=lambda data: (data.state, data.cycles_left, data.expires_at),
        owner_values=lambda term: (term.state, term.cycles_left, term.expires_at),
        view_values=lambda did: (
            did.views.term.state,
            did.views.term.cycles_left,
            did.views.term.expires_at,
        ),
    ),
    "routing": Axis(
        owner="provisioning",
        carried_by=RoutingAxis,
        published_values=lambda data: (
            data.carrier_state,
            data.capacity,
            data.voice.id if data.voice else None,
        ),
        owner_values=lambda routing: (routing.carrier_state, routing.capacity, _voice_of(routing)),
        view_values=lambda did: (
            did.views.routing.carrier_state,
            did.views.routing.capacity,
            did.views.routing.voice.id if did.views.routing.voice else None,
        ),
    ),
}


def differing_axes(evidence: Evidence) -> Iterator[str]:
    """Return the stored axes that differ from the last published ones. Removed DIDs are not compared."""
    removed = {
        published.did_id for published in evidence.records if isinstance(published.event.data, e.DidRemoved)
    }
    view = evidence.services.get("inventory")
    for name, axis in AXES.items():
        for did_id, published in _latest(evidence, axis).items():
            if did_id in removed:
                continue
            expected = axis.published_values(published.event.data)
            owner = evidence.services.get(axis.owner)
            if owner is not None:
                yield from _differences(
                    f"{axis.owner}'s {name} of {did_id}",
                    expected,
                    axis.owner_values,
                    owner.states.get(did_id),
                )
            if view is not None:
                yield from _differences(
                    f"the view's {name} of {did_id}", expected, axis.view_values, view.states.get(did_id)
                )


def _latest(evidence: Evidence, axis: Axis) -> Mapping[UUID, PublishedEvent]:
    latest: dict[UUID, PublishedEvent] = {}
    for published in evidence.records:
        if isinstance(published.event.data, axis.carried_by):
            earlier = latest.get(published.did_id)
            if earlier is None or (published.event.sequence or 0) > (earlier.event.sequence or 0):
                latest[published.did_id] = published
    return latest


def _differences(
    what: str, expected: Values, values: Callable[[Any], Values], row: Stored[Any] | None
) -> Iterator[str]:
    if row is not None and values(row.state) != expected:
        yield f"{what} is {values(row.state)}, the last event says {expected}"
