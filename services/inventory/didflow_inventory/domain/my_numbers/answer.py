"""A DID as My Numbers shows it: labels, icons, colors and days left, each from one closed table or rule.

Source: spec lifecycle (Status, Verification icon, Additional services) and spec http, "A DID in an answer".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from didflow_chassis.decision import Caller
from didflow_contracts.events.holding import NextStep
from didflow_contracts.events.registration import Reason
from didflow_contracts.events.routing import Missing, SmsTarget, VoiceTarget
from didflow_contracts.vocabulary import (
    AdditionalService,
    AfterHold,
    CarrierState,
    Channels,
    Circle,
    Features,
    HeldBy,
    NumberType,
    Origin,
    Registration,
    ServiceState,
    Status,
    TermState,
)
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding import Holding, Stock
from didflow_inventory.domain.my_numbers.actions import OfferedAction, actions_of
from didflow_inventory.domain.my_numbers.next_step import next_step
from didflow_inventory.domain.my_numbers.status import CIRCLES, LABELS
from didflow_inventory.domain.views import RegistrationView, RoutingView, ServiceView, TermView

Icon = Literal["none", "active", "pending", "rejected", "not_assigned"]
Color = Literal["gray", "yellow", "green", "red"]

ICONS: Final[dict[Registration, Icon]] = {
    "not_required": "none",
    "approved": "active",
    "pending": "pending",
    "rejected": "rejected",
    "expired": "rejected",
    "awaiting": "not_assigned",
}
SERVICES: Final[tuple[AdditionalService, ...]] = ("emergency", "a2p_sms", "cnam")
COLORS: Final[dict[ServiceState, Color]] = {
    "not_configured": "gray",
    "new": "yellow",
    "in_process": "yellow",
    "pending": "yellow",
    "active": "green",
    "changes_required": "red",
    "cancelation_pending": "red",
}
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrationAnswer:
    """The registration with its icon."""

    state: Registration
    icon: Icon
    verification_id: UUID | None
    reference: str | None
    reasons: tuple[Reason, ...]
    valid_until: datetime | None
    grace_until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityAnswer:
    """The end-user details in force, by their ids."""

    identity_id: UUID | None
    address_id: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceAnswer:
    """One additional service that the number supports, and the last request for it with its reasons."""

    service: AdditionalService
    state: ServiceState
    color: Color
    request_id: UUID | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutingAnswer:
    """The carrier state, the targets of calls and messages, and what is missing for their delivery."""

    carrier_state: CarrierState
    voice: VoiceTarget | None
    capacity: Channels | None
    capacity_group: UUID | None
    sms: SmsTarget | None
    voice_ready: bool
    sms_ready: bool
    missing: Missing


@dataclass(frozen=True, kw_only=True, slots=True)
class TermAnswer:
    """The term."""

    state: TermState
    cycles_left: int | None
    billing_period: int | None
    expires_at: datetime | None
    aging_until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldAnswer:
    """Who put the DID on hold, until when, and what follows then."""

    held_by: HeldBy | None
    until: datetime | None
    after_hold: AfterHold | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DidAnswer:
    """A DID in an answer. The status, its label and its circle are null for a DID that is removed or refused.

    `region` and `area` are what the seller gave, else the area of the number that verification has published.
    `time_left_days` counts down to `term.expires_at`, also of a canceled term. It is 0 when that has passed, and null
    without a term. `term.cycles_left` is null for a term that renews without end, and without a term.
    """

    did_id: UUID
    number: str
    country: str | None
    region: str | None
    area: str | None
    number_type: NumberType
    features: Features
    account: str
    user: str | None
    description: str | None
    notes: str | None
    tags: tuple[str, ...]
    carrier: str | None
    sms_carrier: str | None
    stock: Stock
    hold: HoldAnswer | None
    blocked_by: str | None
    origin: Origin
    payer: str
    purchased_at: datetime
    status: Status | None
    status_label: str | None
    circle: Circle | None
    next_step: NextStep
    actions: tuple[OfferedAction, ...]
    time_left_days: int | None
    registration: RegistrationAnswer
    identity: IdentityAnswer
    services: tuple[ServiceAnswer, ...]
    routing: RoutingAnswer
    term: TermAnswer


def did_answer(did: Did, now: datetime, caller: Caller) -> DidAnswer:
    """Return a DID as it is shown to a caller at an instant.

    Only the actions depend on the caller, and only the days left and the next step's deadline on the instant.
    """
    holding, views, status = did.holding, did.views, did.listing.status
    return DidAnswer(
        did_id=holding.did_id,
        number=holding.number,
        country=holding.country,
        region=did.listing.shown_region,
        area=holding.area or views.registration.area,
        number_type=holding.number_type,
        features=holding.features,
        account=holding.account,
        user=holding.user,
        description=holding.description,
        notes=holding.notes,
        tags=holding.tags,
        carrier=holding.carrier,
        sms_carrier=holding.sms_carrier,
        stock=holding.stock,
        hold=_hold_answer(holding),
        blocked_by=holding.blocked_by,
        origin=holding.origin,
        payer=holding.payer,
        purchased_at=holding.purchased_at,
        status=status,
        status_label=LABELS[status] if status else None,
        circle=CIRCLES[status] if status else None,
        next_step=next_step(holding, views, now),
        actions=actions_of(holding, views, caller),
        time_left_days=days_left(views.term, now),
        registration=_registration_answer(views.registration),
        identity=IdentityAnswer(
            identity_id=views.registration.identity_id, address_id=views.registration.address_id
        ),
        services=_service_answers(did),
        routing=_routing_answer(views.routing),
        term=_term_answer(views.term),
    )


def days_left(term: TermView, now: datetime) -> int | None:
    """Return the days until the term expires, rounded up; 0 if it has expired, None without a term."""
    if term.state in ("none", "closed") or term.expires_at is None:
        return None
    left = term.expires_at - now
    return 0 if left <= timedelta() else -(-left // DAY)


def icon_of(view: RegistrationView) -> Icon:
    """Return the verification icon. Until verification has answered there is none."""
    return ICONS[view.state] if view.is_answered else "none"


def _registration_answer(view: RegistrationView) -> RegistrationAnswer:
    return RegistrationAnswer(
        state=view.state,
        icon=icon_of(view),
        verification_id=view.verification_id,
        reference=view.reference,
        reasons=view.reasons,
        valid_until=view.valid_until,
        grace_until=view.grace_until,
    )


def _hold_answer(holding: Holding) -> HoldAnswer | None:
    if holding.stock != "on_hold":
        return None
    return HoldAnswer(held_by=holding.held_by, until=holding.until, after_hold=holding.after_hold)


def _service_answers(did: Did) -> tuple[ServiceAnswer, ...]:
    supported = (name for name in SERVICES if name in did.holding.features)
    views = ((name, did.views.services.get(name, ServiceView())) for name in supported)
    return tuple(
        ServiceAnswer(
            service=name,
            state=view.state,
            color=COLORS[view.state],
            request_id=view.request_id,
            reasons=view.reasons,
        )
        for name, view in views
    )


def _routing_answer(view: RoutingView) -> RoutingAnswer:
    return RoutingAnswer(
        carrier_state=view.carrier_state,
        voice=view.voice,
        capacity=view.capacity,
        capacity_group=view.capacity_group,
        sms=view.sms,
        voice_ready=view.voice_ready,
        sms_ready=view.sms_ready,
        missing=view.missing,
    )


def _term_answer(view: TermView) -> TermAnswer:
    return TermAnswer(
        state=view.state,
        cycles_left=view.cycles_left,
        billing_period=view.billing_period,
        expires_at=view.expires_at,
        aging_until=view.aging_until,
    )
