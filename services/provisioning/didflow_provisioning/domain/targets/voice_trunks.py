"""Voice trunks: a SIP endpoint or a forward number, and a failover."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known
from didflow_contracts.events.carrier import Endpoint, VoiceDelivery
from didflow_provisioning.domain.profiles.profile import NamingProfiles
from didflow_provisioning.domain.serves_below import created, not_found
from didflow_provisioning.domain.targets.commands import ChangeVoiceTrunk, CreateVoiceTrunk, DeleteVoiceTrunk
from didflow_provisioning.domain.targets.job_kinds import CHANGE_VOICE_TRUNK, Move
from didflow_provisioning.domain.targets.target import Target, changed, deleted

WHAT: Final = "voice trunk"
_OF_TRUNK: Final = frozenset(("priority", "weight", "ring_timeout_s"))
"""The settings of a trunk. The others belong to its SIP endpoint."""


class VoiceTrunk(Target, frozen=True, kw_only=True):
    """A voice trunk. `endpoints` are tried in order: its own, then the failover."""

    trunk_id: UUID
    endpoints: tuple[Endpoint, ...]

    @property
    def delivery(self) -> VoiceDelivery:
        """The trunk as carrier commands name it."""
        return VoiceDelivery(kind="trunk", id=self.trunk_id, name=self.name, endpoints=self.endpoints)


class VoiceTargetUse(Struct, frozen=True, kw_only=True):
    """The numbers of live DIDs and of groups that use a voice target."""

    target_id: UUID
    dids: int
    groups: int = 0


def create_voice_trunk(trunk: VoiceTrunk | None, command: CreateVoiceTrunk, now: datetime) -> Decision:
    """Create a trunk. Refused `not_found` if the caller does not reach the account."""
    new = VoiceTrunk(
        trunk_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        endpoints=command.endpoints,
        created_at=now,
    )
    return created(trunk, new, command.caller)


def change_voice_trunk(
    trunk: VoiceTrunk | None, command: ChangeVoiceTrunk, now: datetime, known: Known
) -> Decision:
    """Change a trunk. Refused `not_found`. If it is in use, a job carries the change to the DIDs on it."""
    if trunk is None or not trunk.is_changeable_by(command.caller):
        return not_found(WHAT)
    own, *former_failover = trunk.endpoints
    failover = tuple(former_failover) if command.failover is None else command.failover
    endpoints = (_changed_endpoint(own, command.destination, command.settings), *failover)
    after = replace(trunk, name=command.name or trunk.name, endpoints=endpoints)
    job = (CHANGE_VOICE_TRUNK, Move(former=trunk.trunk_id))
    return changed(trunk, after, command, now, use=known.get(VoiceTargetUse, trunk.trunk_id), job=job)


def delete_voice_trunk(
    trunk: VoiceTrunk | None,
    command: DeleteVoiceTrunk,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a trunk. Refused `not_found`, and `in_use` with the counts."""
    if trunk is None or not trunk.is_changeable_by(command.caller):
        return not_found(WHAT)
    return deleted(
        trunk, known.get(VoiceTargetUse, trunk.trunk_id), known.get(NamingProfiles, trunk.trunk_id), WHAT
    )


def _changed_endpoint(own: Endpoint, destination: Endpoint | None, settings: Mapping[str, Any]) -> Endpoint:
    """Return a trunk's own endpoint with another destination, if there is one, and with these settings."""
    kept = {name: value for name, value in own.settings.items() if destination is None or name in _OF_TRUNK}
    to = destination or own
    return Endpoint(
        kind=to.kind,
        address=to.address,
        settings={**(destination.settings if destination else {}), **kept, **settings},
    )
