"""Each axis as its owner has it, compared with the axis as other services have last received it.

A view stores the sequence of the event that it comes from; the owner's row counts all its events. If both are equal,
different values cannot be caused by an event on its way. The same holds if two views come from the same event and
only one of them agrees with the owner. Source: spec events, Across topics there is no order.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from msgspec import Struct
from msgspec.structs import asdict

from didflow.consistency.codes import Disagreement
from didflow.consistency.rows import DidRows
from didflow_billing.domain import views as billing
from didflow_chassis.states import Stored
from didflow_contracts.cloudevents import OUR_SOURCES
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidChanged, ServiceChanged
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.routing import RoutingAxis
from didflow_contracts.events.term import TermAxis
from didflow_contracts.sequences import Sequences
from didflow_contracts.vocabulary import AdditionalService
from didflow_inventory.domain import views as inventory
from didflow_inventory.domain.views import RoutingView, TermView
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.routing import Routing
from didflow_verification.domain import views as verification

Values = Mapping[str, Any]

_SETTINGS: Final = ("carrier_state", "voice", "capacity", "sms")
"""The fields of the routing that have their first value until provisioning has published an axis."""


class View(Struct, frozen=True):
    """An axis as one service has received it: the sequence of its last event (0: none yet), and its values."""

    sequence: int
    values: Values


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """One axis. `owned` and `views` return None for a DID whose axis is not compared.

    `carried_by` are the events that carry it. `at_once`: its owner publishes it as soon as it knows a DID.
    """

    name: str
    owner: str
    code: str
    carried_by: type[EventData]
    owned: Callable[[DidRows], Values | None]
    views: Mapping[str, Callable[[DidRows], View | None]]
    at_once: bool = True


def differing_axes(did: DidRows) -> Iterator[Disagreement]:
    """Compare all axes of a DID with all views of them. A refused DID has no axes."""
    if did.inventory is not None and did.inventory.state.holding.stock == "refused":
        return
    for axis in AXES:
        row: Stored[Any] | None = getattr(did, axis.owner)
        owned = axis.owned(did) if row is not None else None
        if row is None or owned is None:
            continue
        views = {name: view for name, read in axis.views.items() if (view := read(did)) is not None}
        for name in views:
            compared = _Compared(axis=axis, counted=row.sequence, owned=owned, name=name, views=views)
            if compared.differs:
                yield compared.disagreement(did)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compared:
    """The view `name` of an axis beside the values of its owner, whose row counts `counted` events."""

    axis: Axis
    counted: int
    owned: Values
    name: str
    views: Mapping[str, View]

    @property
    def view(self) -> View:
        return self.views[self.name]

    @property
    def fields(self) -> list[str]:
        """The fields with different values."""
        return [field for field, value in self.view.values.items() if value != self.owned[field]]

    @property
    def is_unheard(self) -> bool:
        return self.axis.at_once and self.view.sequence == 0 and self.counted > 0

    @property
    def differs(self) -> bool:
        return bool(self.fields) or self.is_unheard or self.view.sequence > self.counted

    def disagreement(self, did: DidRows) -> Disagreement:
        sequence, fields = self.view.sequence, self.fields
        certain = bool(fields) and (sequence == self.counted or self._is_contradicted())
        late = "view_ahead" if sequence > self.counted else "view_behind"
        values = self.view.values
        what = (f"{name}: {values[name]!r}, {self.axis.owner} has {self.owned[name]!r}" for name in fields)
        return Disagreement(
            code=self.axis.code if certain else late,
            did_id=did.did_id,
            number=did.number,
            service=self.name,
            detail=", ".join(what) or f"events of the axis: {sequence}, {self.axis.owner} has {self.counted}",
            certain=certain,
            axis=self.axis.name,
            sequences=(sequence, self.counted),
        )

    def _is_contradicted(self) -> bool:
        """Return True if another view comes from the same event, agrees with the owner, and differs from this one."""
        return any(
            other.sequence == self.view.sequence > 0
            and all(value == self.owned[field] for field, value in other.values.items())
            and any(field in other.values for field in self.fields)
            for name, other in self.views.items()
            if name != self.name
        )


def _sequence(sequences: Sequences, axis: str, owner: str) -> int:
    return sequences.get(f"{axis}:{OUR_SOURCES}{owner}", 0)


# The holding, owned by inventory.


def _holding(did: DidRows) -> Values | None:
    holding = did.inventory.state.holding if did.inventory else None
    if holding is None:
        return None
    names = ("account", "stock", "origin", "carrier", "sms_carrier")
    return {name: getattr(holding, name) for name in names} | {"features": frozenset(holding.features)}


def _holding_in_verification(did: DidRows) -> View | None:
    if did.verification is None or did.verification.state.ended:
        return None
    state = did.verification.state
    values: Values = {"account": state.account, "features": frozenset(state.features or ())}
    return View(_sequence(state.sequences, verification.STOCK, "inventory"), values)


def _holding_in_billing(did: DidRows) -> View | None:
    if did.billing is None:
        return None
    state = did.billing.state
    return View(_sequence(state.sequences, billing.STOCK, "inventory"), {"account": state.account})


def _holding_in_provisioning(did: DidRows) -> View | None:
    routing = _live_routing(did)
    if routing is None or (did.inventory and not did.inventory.state.holding.is_live):
        return None
    names = ("account", "stock", "origin", "carrier", "sms_carrier")
    values = {name: getattr(routing, name) for name in names} | {"features": frozenset(routing.features)}
    return View(_sequence(routing.sequences, "holding", "inventory"), values)


# The registration, owned by verification.


def _registration(did: DidRows) -> Values | None:
    if did.verification is None:
        return None
    state = did.verification.state
    force = state.in_force
    return {
        "registration": state.state,
        "identity_id": force.identity_id if force else None,
        "address_id": force.address_id if force else None,
        "grace_until": state.grace_until,
    }


def _registration_in_inventory(did: DidRows) -> View | None:
    if did.inventory is None:
        return None
    views = did.inventory.state.views
    seen = views.registration
    values = {"registration": seen.state} | {
        name: getattr(seen, name) for name in ("identity_id", "address_id", "grace_until")
    }
    return View(_sequence(views.sequences, inventory.REGISTRATION, "verification"), values)


def _registration_in_billing(did: DidRows) -> View | None:
    if did.billing is None:
        return None
    state = did.billing.state
    sequence = _sequence(state.sequences, billing.REGISTRATION, "verification")
    return View(sequence, {"registration": state.registration})


def _registration_in_provisioning(did: DidRows) -> View | None:
    routing = _live_routing(did)
    if routing is None:
        return None
    sequence = _sequence(routing.sequences, "registration", "verification")
    return View(sequence, {"registration": routing.registration})


# The term, owned by billing.


def _term(did: DidRows) -> Values | None:
    if did.billing is None:
        return None
    return {name: getattr(did.billing.state, name) for name in TermView.__struct_fields__}


def _term_in_inventory(did: DidRows) -> View | None:
    if did.inventory is None:
        return None
    views = did.inventory.state.views
    return View(_sequence(views.sequences, inventory.TERM, "billing"), asdict(views.term))


def _term_in_provisioning(did: DidRows) -> View | None:
    routing = _live_routing(did)
    if routing is None:
        return None
    return View(_sequence(routing.sequences, "term", "billing"), {"state": routing.term})


# The routing, owned by provisioning.


def _routing(did: DidRows) -> Values | None:
    if did.provisioning is None:
        return None
    return asdict(inventory.view_of(RoutingView, routing_changed(did.provisioning.state)))


def _routing_in_inventory(did: DidRows) -> View | None:
    if did.inventory is None:
        return None
    views = did.inventory.state.views
    sequence = _sequence(views.sequences, inventory.ROUTING, "provisioning")
    values = asdict(views.routing)
    return View(sequence, values if sequence else {name: values[name] for name in _SETTINGS})


def _live_routing(did: DidRows) -> Routing | None:
    """Return the routing of a DID that has not ended in provisioning. An ended one keeps the last views."""
    routing = did.provisioning.state if did.provisioning else None
    return None if routing is None or routing.end_reason is not None else routing


# The additional services, owned by verification.


def _service(did: DidRows, service: AdditionalService) -> Values | None:
    """Return the state of one service. The end of a DID closes its services with an event."""
    if did.verification is None:
        return None
    states = {request.service: request.state for request in did.requests}
    return {"state": states.get(service, "not_configured")}


def _service_in_inventory(did: DidRows, service: AdditionalService) -> View | None:
    if did.inventory is None:
        return None
    views = did.inventory.state.views
    seen = views.services.get(service)
    sequence = _sequence(views.sequences, inventory.service_axis(service), "verification")
    return View(sequence, {"state": seen.state if seen else "not_configured"})


def _service_axis(service: AdditionalService) -> Axis:
    return Axis(
        name=inventory.service_axis(service),
        owner="verification",
        code="service_differs",
        carried_by=ServiceChanged,
        owned=lambda did: _service(did, service),
        views={"inventory": lambda did: _service_in_inventory(did, service)},
        at_once=False,
    )


AXES: Final[tuple[Axis, ...]] = (
    Axis(
        name="holding",
        owner="inventory",
        code="holding_differs",
        carried_by=DidChanged,
        owned=_holding,
        views={
            "verification": _holding_in_verification,
            "billing": _holding_in_billing,
            "provisioning": _holding_in_provisioning,
        },
    ),
    Axis(
        name="registration",
        owner="verification",
        code="registration_differs",
        carried_by=RegistrationAxis,
        owned=_registration,
        views={
            "inventory": _registration_in_inventory,
            "billing": _registration_in_billing,
            "provisioning": _registration_in_provisioning,
        },
    ),
    Axis(
        name="term",
        owner="billing",
        code="term_differs",
        carried_by=TermAxis,
        owned=_term,
        views={"inventory": _term_in_inventory, "provisioning": _term_in_provisioning},
    ),
    Axis(
        name="routing",
        owner="provisioning",
        code="routing_differs",
        carried_by=RoutingAxis,
        owned=_routing,
        views={"inventory": _routing_in_inventory},
        at_once=False,
    ),
    *(_service_axis(service) for service in get_args(AdditionalService)),
)
"""All axes. The state of an axis is compared by value; `AXES` names no rule of its own."""
