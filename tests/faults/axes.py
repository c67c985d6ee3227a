"""I8: the four axes as the latest events have them, compared with what owners and inventory have stored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from faults.evidence import Evidence, Facts, PublishedEvent

from didflow_contracts import events as e
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.routing import RoutingAxis
from didflow_contracts.events.term import TermAxis

Values = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis: its owner, the events that carry it whole, and the place of its values."""

    owner: str
    carried_by: type[Any]
    said: Callable[[Any], Values]
    owned: Callable[[Any], Values]
    viewed: Callable[[Any], Values]


def _voice_of(routing: Any) -> UUID | None:
    found: UUID | None = routing.voice.delivery.id if routing.voice else None
    return found


AXES: Final[Mapping[str, Axis]] = {
    "stock": Axis(
        owner="inventory",
        carried_by=e.DidChanged,
        said=lambda data: (data.stock, data.account),
        owned=lambda did: (did.stock, did.account),
        viewed=lambda did: (did.stock, did.account),
    ),
    "registration": Axis(
        owner="verification",
        carried_by=RegistrationAxis,
        said=lambda data: (data.registration,),
        owned=lambda registration: (registration.state,),
        viewed=lambda did: (did.registration.state,),
    ),
    "term": Axis(
        owner="billing",
        carried_by=TermAxis,
        said=lambda data: (data.state, data.cycles_left, data.expires_at),
        owned=lambda term: (term.state, term.cycles_left, term.expires_at),
        viewed=lambda did: (did.term.state, did.term.cycles_left, did.term.expires_at),
    ),
    "routing": Axis(
        owner="provisioning",
        carried_by=RoutingAxis,
        said=lambda data: (data.carrier_state, data.capacity, data.voice.id if data.voice else None),
        owned=lambda routing: (routing.carrier_state, routing.capacity, _voice_of(routing)),
        viewed=lambda did: (
            did.routing.carrier_state,
            did.routing.capacity,
            did.routing.voice.id if did.routing.voice else None,
        ),
    ),
}


def differing(evidence: Evidence) -> Iterator[str]:
    """Return where a stored axis differs from the last published one. Removed DIDs are left out."""
    gone = {said.did_id for said in evidence.records if isinstance(said.event.data, e.DidRemoved)}
    view = evidence.services.get("inventory")
    for name, axis in AXES.items():
        for did_id, said in _latest(evidence, axis).items():
            if did_id in gone:
                continue
            wanted = axis.said(said.event.data)
            yield from _compared(
                f"{axis.owner}'s {name}", wanted, axis.owned, _state(evidence, axis.owner, did_id)
            )
            if view is not None:
                yield from _compared(f"the view's {name}", wanted, axis.viewed, _in(view, did_id))


def _latest(evidence: Evidence, axis: Axis) -> Mapping[UUID, PublishedEvent]:
    latest: dict[UUID, PublishedEvent] = {}
    for said in evidence.records:
        if isinstance(said.event.data, axis.carried_by):
            before = latest.get(said.did_id)
            if before is None or (said.event.sequence or 0) > (before.event.sequence or 0):
                latest[said.did_id] = said
    return latest


def _state(evidence: Evidence, owner: str, did_id: UUID) -> Any:
    facts = evidence.services.get(owner)
    return _in(facts, did_id) if facts else None


def _in(facts: Facts, did_id: UUID) -> Any:
    row = facts.states.get(did_id)
    return row.state if row else None


def _compared(what: str, wanted: Values, values: Callable[[Any], Values], state: Any) -> Iterator[str]:
    if state is not None and values(state) != wanted:
        yield f"{what} of {state.did_id} is {values(state)}, the last event says {wanted}"
