"""The DID: inventory's holding, the other services' axes as heard, and what follows from them for people.

Every decision ends in `conclude`, so that what is derived is never older than what it is derived from.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_chassis.decision import Decided
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidChanged, DidStatusChanged
from didflow_contracts.vocabulary import (
    AdditionalService,
    AfterHold,
    Features,
    NumberType,
    Origin,
    RefusalCode,
    RemovalReason,
    Status,
)
from didflow_inventory.domain.axes import (
    REGISTRATION,
    RegistrationView,
    RoutingView,
    Seen,
    ServiceView,
    TermView,
)
from didflow_inventory.domain.status import (
    CIRCLES,
    OPEN,
    Condition,
    Stock,
    filters_of,
    next_step_of,
    status_of,
)


class Assignment(Struct, frozen=True, kw_only=True):
    """The end-user details last assigned, by their ids; a later `assigned_at` wins."""

    identity_id: UUID
    address_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()
    assigned_at: datetime

    @property
    def details(self) -> tuple[UUID, UUID | None, frozenset[UUID]]:
        """What makes two assignments the same."""
        return self.identity_id, self.address_id, frozenset(self.document_ids)


class Did(Struct, frozen=True, kw_only=True):
    """One life of a number, as one row. `said` is the status last published, None before the first.

    The last block is derived: it is what rows are filtered, counted and sorted by.
    """

    did_id: UUID
    number: str
    number_type: NumberType
    country: str | None = None
    region: str | None = None
    area: str | None = None
    order_id: str | None = None
    purchased_at: datetime

    stock: Stock
    until: datetime | None = None
    after_hold: AfterHold | None = None
    held_by_package: bool = False
    account: str
    payer: str
    user: str | None = None
    features: Features
    carrier: str | None = None
    sms_carrier: str | None = None
    origin: Origin = "purchased"
    tags: tuple[str, ...] = ()
    description: str | None = None
    refusal: RefusalCode | None = None
    removal: RemovalReason | None = None
    removed_at: datetime | None = None

    assigned: Assignment | None = None
    registration: RegistrationView = field(default_factory=RegistrationView)
    services: Mapping[AdditionalService, ServiceView] = field(default_factory=dict)
    routing: RoutingView = field(default_factory=RoutingView)
    term: TermView = field(default_factory=TermView)
    seen: Seen = field(default_factory=dict)
    said: Status | None = None

    status: Status | None = None
    identity_id: UUID | None = None
    expires_at: datetime | None = None
    in_all: bool = False
    in_active: bool = False
    in_not_configured: bool = False
    in_awaiting_registration: bool = False
    in_terminated: bool = False
    in_expiring_soon: bool = False
    in_porting: bool = False

    @property
    def is_live(self) -> bool:
        """Whether somebody has this DID now."""
        return self.in_all

    @property
    def condition(self) -> Condition:
        """What status, next step and filters are read from."""
        return Condition(
            stock=self.stock,
            by_package=self.held_by_package,
            registration=self.registration.state,
            term=self.term.state,
            cycles_left=self.term.cycles_left,
            carrier=self.routing.carrier_state,
            features=self.features,
            voice=self.routing.voice is not None,
            capacity=self.routing.capacity,
            sms=self.routing.sms is not None,
        )

    @property
    def open_services(self) -> tuple[AdditionalService, ...]:
        """The services with an open request, in a fixed order."""
        return tuple(sorted(name for name, service in self.services.items() if service.state in OPEN))


def derived(did: Did) -> Did:
    """Bring what follows from the axes up to date; a removed DID's term is closed, whatever comes late."""
    if did.stock == "removed" and did.term.state != "closed":
        did = replace(did, term=replace(did.term, state="closed"))
    condition = did.condition
    filters = filters_of(condition)
    return replace(
        did,
        status=status_of(condition),
        identity_id=did.registration.identity_id,
        expires_at=did.term.expires_at,
        in_all="all" in filters,
        in_active="active" in filters,
        in_not_configured="not_configured" in filters,
        in_awaiting_registration="awaiting_registration" in filters,
        in_terminated="terminated" in filters,
        in_expiring_soon="expiring_soon" in filters,
        in_porting="porting" in filters,
    )


def conclude(did: Did, *events: EventData, also: tuple[Any, ...] = (), answer: Any = None) -> Decided[Did]:
    """End a decision: derive what follows, and say the status when it is another than the one last said.

    A status is not said before verification has: that a number awaits registration is until then assumed.
    """
    after = derived(did)
    if after.status is None:
        after = replace(after, said=None)
    elif after.status != after.said and _is_known(after):
        changed = _status_changed(after, after.status)
        after = replace(after, said=after.status)
        events = (*events, changed)
    return Decided(state=after, also=also, events=events, answer=answer)


def holding_of(did: Did) -> DidChanged:
    """Say the whole holding. Raises ValueError for a refused DID: it has none."""
    if did.stock == "refused":
        raise ValueError("a refused DID has no holding")
    return DidChanged(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        stock=did.stock,
        until=did.until,
        after_hold=did.after_hold,
        payer=did.payer,
        user=did.user,
        features=did.features,
        carrier=did.carrier,
        sms_carrier=did.sms_carrier,
        origin=did.origin,
        tags=did.tags,
        description=did.description,
    )


def _is_known(did: Did) -> bool:
    return REGISTRATION in did.seen or did.stock == "porting_in"


def _status_changed(did: Did, status: Status) -> DidStatusChanged:
    return DidStatusChanged(
        did_id=did.did_id,
        number=did.number,
        account=did.account,
        status=status,
        previous=did.said,
        circle=CIRCLES[status],
        next_step=next_step_of(did.condition, did.open_services),
    )
