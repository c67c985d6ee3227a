"""The commands about targets, and those of the jobs that move DIDs from one target to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Command
from didflow_contracts.events.carrier import Endpoint
from didflow_provisioning.domain.commands import SetSms, SetVoice


class GroupTrunk(Struct, frozen=True, kw_only=True):
    """A voice trunk of a group. A priority or weight of None is that of the trunk itself."""

    voice_trunk_id: UUID
    priority: int | None = None
    weight: int | None = None


class EncryptedSecret(Struct, frozen=True, kw_only=True):
    """The secret of a target, encrypted under the key `key_id`."""

    key_id: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class CreateTarget(Command):
    """Create a target for an account and the accounts below it."""

    account: str
    name: str


@dataclass(frozen=True, kw_only=True)
class ChangeTarget(Command):
    """Change a target. If it is in use, the job `job_id` carries the change to its DIDs. None: the name stays."""

    job_id: UUID
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReplaceTarget(Command):
    """Start the job that moves each DID on a target to the target `by`."""

    entity_id: UUID
    by: UUID
    job_id: UUID


@dataclass(frozen=True, kw_only=True)
class CreateVoiceTrunk(CreateTarget):
    """Create a voice trunk."""

    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeVoiceTrunk(ChangeTarget):
    """Change a voice trunk. None and an absent setting stay as they are; an empty `failover` removes it."""

    destination: Endpoint | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    failover: tuple[Endpoint, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class DeleteVoiceTrunk(Command):
    """Delete a voice trunk."""


@dataclass(frozen=True, kw_only=True)
class ReplaceVoiceTrunk(ReplaceTarget):
    """Start the job that moves each DID on a voice trunk to another target."""


@dataclass(frozen=True, kw_only=True)
class CreateVoiceTrunkGroup(CreateTarget):
    """Create a voice trunk group."""

    trunks: tuple[GroupTrunk, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeVoiceTrunkGroup(ChangeTarget):
    """Change a voice trunk group. Without trunks, those that it has stay."""

    trunks: tuple[GroupTrunk, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeleteVoiceTrunkGroup(Command):
    """Delete a voice trunk group."""


@dataclass(frozen=True, kw_only=True)
class ReplaceVoiceTrunkGroup(ReplaceTarget):
    """Start the job that moves each DID on a voice trunk group to another target."""


@dataclass(frozen=True, kw_only=True)
class CreateSmsTrunk(CreateTarget):
    """Create an SMS trunk."""

    endpoint: Endpoint
    secret: EncryptedSecret | None


@dataclass(frozen=True, kw_only=True)
class ChangeSmsTrunk(ChangeTarget):
    """Change an SMS trunk. An endpoint is given whole, with its secret. Without one, both stay."""

    endpoint: Endpoint | None = None
    secret: EncryptedSecret | None = None


@dataclass(frozen=True, kw_only=True)
class DeleteSmsTrunk(Command):
    """Delete an SMS trunk."""


@dataclass(frozen=True, kw_only=True)
class ReplaceSmsTrunk(ReplaceTarget):
    """Start the job that moves each DID on an SMS trunk to another one."""


@dataclass(frozen=True, kw_only=True)
class MoveSms(SetSms):
    """Deliver messages to this SMS trunk as it is now, if they are delivered to `former`."""

    former: UUID


@dataclass(frozen=True, kw_only=True)
class MoveVoice(SetVoice):
    """Deliver calls to this voice target as it is now, if they are delivered to `former`."""

    former: UUID
