"""What is wished for over HTTP. Wishes about a number carry the id of the one command that they may cause."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.vocabulary import Channels


@dataclass(frozen=True, kw_only=True)
class NumberCommand(Command):
    """A wish about one DID's routing."""

    fresh_id: UUID


@dataclass(frozen=True, kw_only=True)
class SetVoice(NumberCommand):
    """Deliver calls to this voice trunk."""

    voice_trunk_id: UUID


@dataclass(frozen=True, kw_only=True)
class SetCapacity(NumberCommand):
    """Allow so many concurrent calls; None takes the setting away."""

    capacity: Channels | None


@dataclass(frozen=True, kw_only=True)
class Clear(NumberCommand):
    """Take voice target, capacity and SMS target away."""


@dataclass(frozen=True, kw_only=True)
class RetryCommand(NumberCommand):
    """Order again what failed for good."""

    command_id: UUID


@dataclass(frozen=True, kw_only=True)
class CreateVoiceTrunk(Command):
    """Make a voice trunk for an account and those below it."""

    account: str
    name: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, kw_only=True)
class DeleteVoiceTrunk(Command):
    """Take a voice trunk out of use."""


@dataclass(frozen=True, kw_only=True)
class KeepVoiceTrunk(Command):
    """Undo a deletion that met a DID on the trunk."""
