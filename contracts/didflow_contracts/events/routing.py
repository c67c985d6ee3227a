"""The routing axis: where calls and messages go, the state at the carrier, and what is missing."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from didflow_contracts.bounds import ITEMS
from didflow_contracts.event_data import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import (
    CarrierAction,
    CarrierState,
    Channels,
    Flag,
    Name,
    NextAction,
    Text,
    UnappliedState,
    VoiceKind,
)


class VoiceTarget(Part):
    """The voice trunk or trunk group of a DID."""

    kind: VoiceKind = Field(description="A single trunk, or a group.")
    id: UUID = Field(description="The trunk or group.")
    name: Name = Field(description="Its name, for people.")


class SmsTarget(Part):
    """The SMS trunk of a DID."""

    id: UUID = Field(description="The trunk.")
    name: Name = Field(description="Its name, for people.")


class Unapplied(Part):
    """A setting that the carrier has not applied yet."""

    action: CarrierAction = Field(description="The action of the carrier command.")
    state: UnappliedState = Field(description="The state of the carrier command.")
    code: Name | None = Field(default=None, description="Code of the last failure, or null.")


class Missing(Part):
    """The first missing step for voice and for SMS; null if it is ready or not needed."""

    voice: NextAction | None = Field(default=None, description="What inbound calls still need.")
    sms: NextAction | None = Field(default=None, description="What inbound messages still need.")


class RoutingAxis(EventData):
    """The whole routing after an event. The highest `sequence` is the current one. Source: spec events, Topics."""

    carrier: Name | None = Field(description="The carrier of the number; null if there is none.")
    carrier_state: CarrierState = Field(description="The state of the number at the carrier.")
    reason: Text | None = Field(description="Why the carrier state is so, or null.")
    voice: VoiceTarget | None = Field(description="Where calls go, or null.")
    capacity: Channels | None = Field(
        description="Concurrent calls, own or reserved in the group; null if not set."
    )
    capacity_group: UUID | None = Field(description="The capacity group of the DID, or null.")
    sms: SmsTarget | None = Field(description="Where messages go, or null.")
    unapplied: tuple[Unapplied, ...] = Field(
        default=(), max_length=ITEMS.most, description="Settings that the carrier has not applied yet."
    )
    voice_ready: Flag = Field(description="True if inbound calls reach the customer.")
    sms_ready: Flag = Field(description="True if inbound messages reach the customer.")
    missing: Missing = Field(description="The first missing step for voice and for SMS.")


class RoutingChanged(RoutingAxis):
    """The routing or the carrier state changed."""

    topic: ClassVar[str] = "routing.changed"


class DidActivated(RoutingAxis):
    """A carrier put the number into service."""

    topic: ClassVar[str] = "did.activated"

    carrier_reference: Text | None = Field(default=None, description="The reference that the carrier gave.")
    activated_at: Instant = Field(description="When the number was put into service.")
