"""The commands that callers send over HTTP. Each names the id of the carrier command that it may cause."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.vocabulary import Channels


@dataclass(frozen=True, kw_only=True)
class RoutingCommand(Command):
    """A command about the routing of one DID. It causes at most one carrier command, under `next_command_id`."""

    next_command_id: UUID


@dataclass(frozen=True, kw_only=True)
class SetVoice(RoutingCommand):
    """Deliver calls to this voice trunk."""

    voice_trunk_id: UUID


@dataclass(frozen=True, kw_only=True)
class MoveVoice(SetVoice):
    """Deliver calls to this voice trunk if they are delivered to `former` now."""

    former: UUID


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
    """Send a new carrier command in place of one that failed for good."""

    command_id: UUID


@dataclass(frozen=True, kw_only=True)
class CreateVoiceTrunk(Command):
    """Create a voice trunk for an account and the accounts below it."""

    account: str
    name: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, kw_only=True)
class DeleteVoiceTrunk(Command):
    """Delete a voice trunk."""


@dataclass(frozen=True, kw_only=True)
class ReplaceVoiceTrunk(Command):
    """Start the job that moves each DID of a voice trunk to the trunk `by`."""

    by: UUID
    job_id: UUID
