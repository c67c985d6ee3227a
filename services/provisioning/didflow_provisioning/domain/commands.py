"""The commands about the routing of a DID. Each names the id of the carrier command that it may cause."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.vocabulary import Channels


@dataclass(frozen=True, kw_only=True)
class RoutingCommand(Command):
    """A command about the routing of one DID. It causes at most one carrier command, under `next_command_id`."""

    next_command_id: UUID


@dataclass(frozen=True, kw_only=True)
class SetVoice(RoutingCommand):
    """Deliver calls to this voice trunk or to this voice trunk group: one of them is given."""

    voice_trunk_id: UUID | None = None
    voice_trunk_group_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class SetSms(RoutingCommand):
    """Deliver messages to this SMS trunk."""

    sms_trunk_id: UUID


@dataclass(frozen=True, kw_only=True)
class SetCapacity(RoutingCommand):
    """Set the number of concurrent calls, or reserve so many channels of a capacity group.

    Without a group, None removes the setting. In a group, None reserves one channel.
    """

    capacity: Channels | None
    capacity_group_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ClearRouting(RoutingCommand):
    """Remove the voice target, the capacity and the SMS target."""


@dataclass(frozen=True, kw_only=True)
class RetryCarrierCommand(RoutingCommand):
    """Send a new carrier command instead of one that failed for good."""

    command_id: UUID
