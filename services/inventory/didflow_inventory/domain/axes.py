"""The axes that other services own, as inventory last heard them. A view never decides what an axis is.

Each axis is kept whole: a newer event replaces it, an older one is passed over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from msgspec import Struct, field

from didflow_contracts.event_data import EventData
from didflow_contracts.events.registration import Reason, RegistrationAxis
from didflow_contracts.events.routing import Missing, SmsTarget, Unapplied, VoiceTarget
from didflow_contracts.vocabulary import (
    AdditionalService,
    CarrierState,
    Channels,
    Registration,
    ServiceState,
    TermState,
)

REGISTRATION: Final = "registration"
TERM: Final = "term"
ROUTING: Final = "routing"

V = TypeVar("V", bound=Struct)


class RegistrationView(Struct, frozen=True, kw_only=True):
    """The registration. Before verification has spoken a number counts as awaiting: unknown is not free."""

    state: Registration = "awaiting"
    requirement: str | None = None
    requirement_version: int | None = None
    verification_id: UUID | None = None
    reference: str | None = None
    attempt: int | None = None
    identity_id: UUID | None = None
    address_id: UUID | None = None
    valid_until: datetime | None = None
    grace_until: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    since: datetime | None = None


class TermView(Struct, frozen=True, kw_only=True):
    """The term. Before billing has spoken there is none."""

    state: TermState = "none"
    cycles_left: int | None = None
    billing_period: int | None = None
    period_start: datetime | None = None
    expires_at: datetime | None = None
    aging_until: datetime | None = None


class RoutingView(Struct, frozen=True, kw_only=True):
    """Carrier state and routing. Before provisioning has spoken nothing is active and nothing is set."""

    carrier_state: CarrierState = "inactive"
    reason: str | None = None
    voice: VoiceTarget | None = None
    capacity: Channels | None = None
    capacity_group: UUID | None = None
    sms: SmsTarget | None = None
    unapplied: tuple[Unapplied, ...] = ()
    voice_ready: bool = False
    sms_ready: bool = False
    missing: Missing = field(default_factory=Missing)


class ServiceView(Struct, frozen=True, kw_only=True):
    """One additional service of the number."""

    state: ServiceState = "not_configured"
    request_id: UUID | None = None
    reasons: tuple[Reason, ...] = ()


Seen = Mapping[str, Mapping[str, int]]
"""Axis -> source -> the sequence last applied."""


def heard(view: type[V], data: EventData) -> V:
    """Take an axis over from an event whose fields have the same names."""
    return view(**{name: getattr(data, name) for name in view.__struct_fields__})


def heard_registration(data: RegistrationAxis, time: datetime) -> RegistrationView:
    """Take the registration over: the event's `registration` is its state, whatever the topic is called."""
    names = set(RegistrationView.__struct_fields__) - {"state", "since"}
    return RegistrationView(state=data.registration, since=time, **{n: getattr(data, n) for n in names})


def service_axis(service: AdditionalService) -> str:
    """Name the axis of one additional service; each has its own sequence."""
    return f"service.{service}"


def is_newer(seen: Seen, axis: str, source: str, sequence: int | None) -> bool:
    """Say whether an event is to be applied. Source: spec events, "Across topics there is no order"."""
    last = seen.get(axis, {}).get(source)
    return last is None or (sequence or 0) > last


def noted(seen: Seen, axis: str, source: str, sequence: int | None) -> Seen:
    """Note an event as the last applied one of its axis and source."""
    return {**seen, axis: {**seen.get(axis, {}), source: sequence or 0}}
