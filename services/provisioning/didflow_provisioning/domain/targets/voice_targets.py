"""The voice target that a command names: a voice trunk or a voice trunk group, and what a DID gets from it."""

from typing import Final, Protocol
from uuid import UUID

from didflow_chassis.decision import Known, Refused
from didflow_provisioning.domain.routing import VoiceSetting
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup, trunks_of
from didflow_provisioning.domain.targets.voice_trunks import VoiceTrunk

NO_TRUNK: Final = Refused(
    "voice_trunk_not_found",
    "No such voice trunk serves this number. Use a trunk of the number's account or of an account above.",
    "voice_trunk_id",
)
NO_GROUP: Final = Refused(
    "voice_trunk_group_not_found",
    "No such voice trunk group serves this number. Use a group of the number's account or of an account above.",
    "voice_trunk_group_id",
)


class NamesVoiceTarget(Protocol):
    """What names a voice trunk or a voice trunk group: a command, or a configuration profile."""

    @property
    def voice_trunk_id(self) -> UUID | None:
        """The trunk, or None."""
        ...

    @property
    def voice_trunk_group_id(self) -> UUID | None:
        """The group, or None."""
        ...


def voice_setting(names: NamesVoiceTarget, account: str, known: Known) -> VoiceSetting | Refused:
    """Return what a DID of this account gets. Refused `voice_trunk_not_found`, `voice_trunk_group_not_found`."""
    if names.voice_trunk_group_id is not None:
        group = known.get(VoiceTrunkGroup, names.voice_trunk_group_id)
        if group is None or not group.serves(account):
            return NO_GROUP
        trunks = trunks_of(group, known)
        return VoiceSetting(
            account=group.account,
            delivery=group.delivery(trunks),
            # Its trunks are of its account and of accounts above, so the shortest path is the highest.
            endpoints_account=min((trunk.account for trunk in trunks.values()), key=len, default=None),
        )
    trunk = known.get(VoiceTrunk, names.voice_trunk_id)
    if trunk is None or not trunk.serves(account):
        return NO_TRUNK
    return VoiceSetting(account=trunk.account, delivery=trunk.delivery)


def target_of(target_id: UUID, known: Known) -> VoiceTrunk | VoiceTrunkGroup | None:
    """Return the trunk or the group of this id. Both are declared as needs."""
    return known.get(VoiceTrunk, target_id) or known.get(VoiceTrunkGroup, target_id)
