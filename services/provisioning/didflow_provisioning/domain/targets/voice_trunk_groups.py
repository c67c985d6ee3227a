"""Voice trunk groups: several voice trunks that are tried by priority, and those of equal priority by weight."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known
from didflow_contracts.events.carrier import Endpoint, VoiceDelivery
from didflow_provisioning.domain.profiles.profile import NamingProfiles
from didflow_provisioning.domain.serves_below import created, not_found
from didflow_provisioning.domain.targets.commands import (
    ChangeVoiceTrunkGroup,
    CreateVoiceTrunkGroup,
    DeleteVoiceTrunkGroup,
    GroupTrunk,
)
from didflow_provisioning.domain.targets.job_kinds import CHANGE_VOICE_TRUNK_GROUP, Move
from didflow_provisioning.domain.targets.target import Target, changed, deleted
from didflow_provisioning.domain.targets.voice_trunks import WHAT as TRUNK
from didflow_provisioning.domain.targets.voice_trunks import VoiceTargetUse, VoiceTrunk

WHAT: Final = "voice trunk group"


class VoiceTrunkGroup(Target, frozen=True, kw_only=True):
    """A voice trunk group. Its trunks are those of its account and of the accounts above."""

    group_id: UUID
    trunks: tuple[GroupTrunk, ...]

    def delivery(self, trunks: Mapping[UUID, VoiceTrunk]) -> VoiceDelivery:
        """Return the group as carrier commands name it: the endpoints of its trunks, the lowest priority first.

        The failovers of the trunks follow after all of them: they are tried if the whole group fails.
        """
        own = sorted((_endpoint(trunks[each.voice_trunk_id], each) for each in self.trunks), key=_by_priority)
        failovers = [end for each in self.trunks for end in trunks[each.voice_trunk_id].endpoints[1:]]
        return VoiceDelivery(
            kind="trunk_group", id=self.group_id, name=self.name, endpoints=(*own, *failovers)
        )


def trunks_of(group: VoiceTrunkGroup, known: Known) -> Mapping[UUID, VoiceTrunk]:
    """Return the trunks of a group by their ids. They exist: a trunk that is in a group is not deleted."""
    found = {each.voice_trunk_id: known.get(VoiceTrunk, each.voice_trunk_id) for each in group.trunks}
    return {trunk_id: trunk for trunk_id, trunk in found.items() if trunk is not None}


def create_voice_trunk_group(
    group: VoiceTrunkGroup | None, command: CreateVoiceTrunkGroup, now: datetime, known: Known
) -> Decision:
    """Create a group. Refused `not_found` if the caller does not reach the account, or a trunk does not serve it."""
    new = VoiceTrunkGroup(
        group_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        trunks=command.trunks,
        created_at=now,
    )
    if command.caller.reaches(new.account) and not _all_serve(new, known):
        return not_found(TRUNK, "trunks")
    return created(group, new, command.caller)


def change_voice_trunk_group(
    group: VoiceTrunkGroup | None, command: ChangeVoiceTrunkGroup, now: datetime, known: Known
) -> Decision:
    """Change a group. Refused `not_found`. If DIDs use it, a job carries the change to each of them."""
    if group is None or not group.is_changeable_by(command.caller):
        return not_found(WHAT)
    after = replace(group, name=command.name or group.name, trunks=command.trunks or group.trunks)
    if command.trunks and not _all_serve(after, known):
        return not_found(TRUNK, "trunks")
    job = (CHANGE_VOICE_TRUNK_GROUP, Move(former=group.group_id))
    return changed(group, after, command, now, use=known.get(VoiceTargetUse, group.group_id), job=job)


def delete_voice_trunk_group(
    group: VoiceTrunkGroup | None,
    command: DeleteVoiceTrunkGroup,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a group. Refused `not_found`, and `in_use` with the counts."""
    if group is None or not group.is_changeable_by(command.caller):
        return not_found(WHAT)
    return deleted(
        group, known.get(VoiceTargetUse, group.group_id), known.get(NamingProfiles, group.group_id), WHAT
    )


def _all_serve(group: VoiceTrunkGroup, known: Known) -> bool:
    trunks = trunks_of(group, known)
    return all(
        each.voice_trunk_id in trunks and trunks[each.voice_trunk_id].serves(group.account)
        for each in group.trunks
    )


def _endpoint(trunk: VoiceTrunk, in_group: GroupTrunk) -> Endpoint:
    """Return the own endpoint of a trunk with the priority and the weight that it has in the group."""
    own, given = trunk.endpoints[0], {"priority": in_group.priority, "weight": in_group.weight}
    settings = own.settings | {name: value for name, value in given.items() if value is not None}
    return Endpoint(kind=own.kind, address=own.address, settings=settings)


def _by_priority(endpoint: Endpoint) -> int:
    priority = endpoint.settings.get("priority")
    return priority if isinstance(priority, int) else 0
