"""The DID: what inventory owns of it, the views of the other services' axes, and the columns derived from both."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct, field

from didflow_contracts.events.holding import NextStep
from didflow_contracts.sequences import Sequences
from didflow_contracts.vocabulary import (
    AdditionalService,
    AfterHold,
    Features,
    HeldBy,
    NextAction,
    NumberType,
    Origin,
    RefusalCode,
    RemovalReason,
    ServiceState,
    Status,
)
from didflow_inventory.domain.status import Condition, Stock, action_of
from didflow_inventory.domain.views import RegistrationView, RoutingView, ServiceView, TermView

OPEN: Final[frozenset[ServiceState]] = frozenset(
    ("new", "in_process", "changes_required", "pending", "cancelation_pending")
)
"""The states of a service in which a request for it is open."""


class Assignment(Struct, frozen=True, kw_only=True):
    """The end-user details last assigned, by their ids. The assignment with the latest `assigned_at` wins."""

    identity_id: UUID
    address_id: UUID | None = None
    document_ids: tuple[UUID, ...] = ()
    assigned_at: datetime

    @property
    def details(self) -> tuple[UUID, UUID | None, frozenset[UUID]]:
        """The details without their instant. The order of the documents does not matter."""
        return self.identity_id, self.address_id, frozenset(self.document_ids)


class Did(Struct, frozen=True, kw_only=True):
    """One life of a number, stored as one row.

    `sequences` holds the last applied sequence of each axis and source. `published_status` is the status last
    published; None before the first. The last block is derived: queries filter, count and sort by it.
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
    held_by: HeldBy | None = None
    account: str
    payer: str
    user: str | None = None
    features: Features
    carrier: str | None = None
    sms_carrier: str | None = None
    origin: Origin = "purchased"
    tags: tuple[str, ...] = ()
    description: str | None = None
    refusal_code: RefusalCode | None = None
    removal_reason: RemovalReason | None = None
    removed_at: datetime | None = None

    assignment: Assignment | None = None
    registration: RegistrationView = field(default_factory=RegistrationView)
    services: Mapping[AdditionalService, ServiceView] = field(default_factory=dict)
    routing: RoutingView = field(default_factory=RoutingView)
    term: TermView = field(default_factory=TermView)
    sequences: Sequences = field(default_factory=dict)
    published_status: Status | None = None

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
        """Whether the DID is neither removed nor refused."""
        return self.in_all

    @property
    def condition(self) -> Condition:
        """The values that the status, the next step and the quick filters depend on."""
        return Condition(
            stock=self.stock,
            held_by=self.held_by,
            is_answered=self.registration.is_answered,
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
        """The services with an open request, in alphabetical order."""
        return tuple(sorted(name for name, service in self.services.items() if service.state in OPEN))


DEADLINES: Final[Mapping[NextAction, Callable[[Did], datetime | None]]] = {
    "restore": lambda did: did.term.aging_until or did.term.expires_at,
    "renew": lambda did: did.term.aging_until,
    "reactivate_package": lambda did: did.until,
    "await_hold_end": lambda did: did.until,
    "assign_end_user_details": lambda did: did.registration.grace_until,
    "fix_end_user_details": lambda did: did.registration.grace_until,
    "await_review": lambda did: did.registration.grace_until,
    "set_billing_cycles": lambda did: did.term.expires_at,
}
"""The instant at which the condition of a DID gets worse unless the action is taken. Other actions have none.

Source: spec lifecycle, `next_step`, `by`.
"""


def next_step(did: Did, now: datetime) -> NextStep:
    """Return what is missing first, who must act and by when. A deadline that has passed is left out."""
    condition = did.condition
    action, who = action_of(condition)
    deadline = DEADLINES[action](did) if action in DEADLINES else None
    return NextStep(
        action=action,
        who=who,
        by=deadline if deadline is not None and deadline > now else None,
        also=did.open_services if condition.is_live else (),
    )
