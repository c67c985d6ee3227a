"""The routing axis: where calls and messages go, what the carrier knows of it, and what is missing."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from didflow_contracts.event import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import (
    CarrierAction,
    CarrierState,
    Channels,
    Flag,
    Name,
    NextAction,
    UnappliedState,
    VoiceKind,
)


class VoiceTarget(Part):
    """The voice trunk or trunk group of a DID."""

    kind: VoiceKind = Field(description="A single trunk, or a group.")
    id: UUID = Field(description="The trunk or group.")
    name: str = Field(description="Its name, for people.")


class SmsTarget(Part):
    """The SMS trunk of a DID."""

    id: UUID = Field(description="The trunk.")
    name: str = Field(description="Its name, for people.")


class Unapplied(Part):
    """A wish that the carrier has not carried out."""

    action: CarrierAction = Field(description="The order that carries the wish.")
    state: UnappliedState = Field(description="How far that order is.")
    code: Name | None = Field(default=None, description="Code of its last failure, or null.")


class Missing(Part):
    """The first missing step per channel; null when the channel is ready or not wanted."""

    voice: NextAction | None = Field(default=None, description="What inbound voice still needs.")
    sms: NextAction | None = Field(default=None, description="What inbound SMS still needs.")


class RoutingAxis(EventData):
    """The whole routing after an event; the highest `sequence` wins. Source: spec events, Topics."""

    carrier: Name | None = Field(description="The carrier of the number; null where there is none.")
    carrier_state: CarrierState = Field(description="The number's state at the carrier.")
    reason: str | None = Field(description="Why the carrier state is what it is, or null.")
    voice: VoiceTarget | None = Field(description="Where calls go, or null.")
    capacity: Channels | None = Field(
        description="Concurrent calls: own, or reserved in the group; null unset."
    )
    capacity_group: UUID | None = Field(description="The capacity group it is a member of, or null.")
    sms: SmsTarget | None = Field(description="Where messages go, or null.")
    unapplied: tuple[Unapplied, ...] = Field(
        default=(), description="What is set but not at the carrier yet."
    )
    voice_ready: Flag = Field(description="Whether inbound calls reach the customer.")
    sms_ready: Flag = Field(description="Whether inbound messages reach the customer.")
    missing: Missing = Field(description="The first missing step of each channel.")


class RoutingChanged(RoutingAxis):
    """Routing or the carrier's state changed."""

    topic: ClassVar[str] = "routing.changed"


class DidActivated(RoutingAxis):
    """A carrier put the number into service."""

    topic: ClassVar[str] = "did.activated"

    carrier_reference: str | None = Field(default=None, description="The carrier's own name for it.")
    activated_at: Instant = Field(description="When it went into service.")
