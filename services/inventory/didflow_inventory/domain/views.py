"""The axes that other services own, as inventory last received them. Inventory never decides such an axis.

A view holds its axis whole: a newer event replaces the view, an older event changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_contracts.event_data import EventData
from didflow_contracts.events.registration import Reason, RegistrationAxis
from didflow_contracts.events.routing import Missing, SmsTarget, Unapplied, VoiceTarget
from didflow_contracts.sequences import Sequences
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

COMPLETE: Final[frozenset[Registration]] = frozenset(("approved", "not_required"))
ENDED: Final[frozenset[TermState]] = frozenset(("canceled", "aging", "closed"))
"""The states of a term that has ended. Source: spec lifecycle, The axes."""

RUNNING: Final[frozenset[TermState]] = frozenset(("active", "delayed_removal"))
"""The states of a term that has not ended."""

V = TypeVar("V", bound=Struct)


class RegistrationView(Struct, frozen=True, kw_only=True):
    """The registration. `since` is the time of the event that the view comes from.

    `area` is the English name of the number's area, or None if it has no known name.

    `completed` is True from the first event on that says approved or not required, whatever follows.

    Until verification has answered, `since` is None and the state is `awaiting`, so the DID is never treated
    as registered too early.
    """

    state: Registration = "awaiting"
    area: str | None = None
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
    completed: bool = False
    since: datetime | None = None

    @property
    def is_answered(self) -> bool:
        """Whether verification has published anything about this DID yet."""
        return self.since is not None


_FROM_EVENT: Final = tuple(
    name for name in RegistrationView.__struct_fields__ if name not in ("state", "since", "completed")
)


class TermView(Struct, frozen=True, kw_only=True):
    """The term. Until billing has published one, its state is `none`."""

    state: TermState = "none"
    cycles_left: int | None = None
    billing_period: int | None = None
    period_start: datetime | None = None
    expires_at: datetime | None = None
    aging_until: datetime | None = None


class RoutingView(Struct, frozen=True, kw_only=True):
    """The carrier state and the routing. Until provisioning has published them, the carrier state is `inactive`."""

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


class Views(Struct, frozen=True, kw_only=True):
    """The views of one DID. `sequences` holds the last applied sequence of each axis and source.

    `assignment_refused_at` is when verification last refused an assignment of end-user details, whoever assigned them.
    """

    registration: RegistrationView = field(default_factory=RegistrationView)
    services: Mapping[AdditionalService, ServiceView] = field(default_factory=dict)
    routing: RoutingView = field(default_factory=RoutingView)
    term: TermView = field(default_factory=TermView)
    sequences: Sequences = field(default_factory=dict)
    assignment_refused_at: datetime | None = None


def view_of(view: type[V], data: EventData) -> V:
    """Return a view with the fields of the same names from an event."""
    return view(**{name: getattr(data, name) for name in view.__struct_fields__})


def registration_view(before: RegistrationView, data: RegistrationAxis, time: datetime) -> RegistrationView:
    """Return the registration from an event. Its field `registration` is the state, whatever its topic is."""
    return RegistrationView(
        state=data.registration,
        since=time,
        completed=before.completed or completes(data),
        **{name: getattr(data, name) for name in _FROM_EVENT},
    )


def completes(data: RegistrationAxis) -> bool:
    """Return True if the registration is complete with this event. Source: spec lifecycle, Term."""
    return data.registration in COMPLETE


def term_after_removal(term: TermView) -> TermView:
    """Return the term of a removed DID. It is closed, whatever term arrives afterwards."""
    return term if term.state == "closed" else replace(term, state="closed")


def service_axis(service: AdditionalService) -> str:
    """Return the name of the axis of one additional service. Each service has its own sequence."""
    return f"service.{service}"
