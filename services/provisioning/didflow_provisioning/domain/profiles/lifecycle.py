"""A configuration profile is created, changed and deleted. A change has an effect when the profile is applied again.

Source: spec provisioning, Routing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.in_use import Users, in_use
from didflow_provisioning.domain.profiles.commands import ChangeProfile, CreateProfile, DeleteProfile
from didflow_provisioning.domain.profiles.profile import AutomaticProfile, Profile, ProfileUse
from didflow_provisioning.domain.serves_below import NO_ACCOUNT, not_found
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTrunk

_PAIRS: Final = (("voice_trunk_id", "voice_trunk_group_id"), ("capacity", "capacity_group_id"))
_ALTERNATIVES: Final = (*_PAIRS, *((other, one) for one, other in _PAIRS))
"""Fields of which a profile has one or none: each, and the one that it clears."""

NAMED: Final[tuple[tuple[str, type[Any], str], ...]] = (
    ("voice_trunk_id", VoiceTrunk, "voice trunk"),
    ("voice_trunk_group_id", VoiceTrunkGroup, "voice trunk group"),
    ("capacity_group_id", CapacityGroup, "capacity group"),
    ("sms_trunk_id", SmsTrunk, "SMS trunk"),
)
"""Fields that name something that must serve the account of the profile: of which class, and what it is called."""

WHAT: Final = "configuration profile"


def create_profile(profile: Profile | None, command: CreateProfile, now: datetime, known: Known) -> Decision:
    """Create a profile.

    Refused `not_found` for an account out of reach, and for what it names and does not serve its account, and
    `automatic_for_taken`.
    """
    if profile is not None:
        return Unchanged(answer=profile)
    if not command.caller.reaches(command.account):
        return NO_ACCOUNT
    profile_id = UUID(str(command.entity_id))
    created = Profile(profile_id=profile_id, account=command.account, created_at=now, **command.fields)
    return _refusal(None, created, known) or _decided(None, created)


def change_profile(profile: Profile | None, command: ChangeProfile, now: datetime, known: Known) -> Decision:  # noqa: ARG001
    """Change a profile. Refused as its creation is. DIDs that use it keep what they have."""
    if profile is None or not profile.is_changeable_by(command.caller):
        return not_found(WHAT)
    changed = replace(profile, **_with_alternatives(command.changes))
    if changed == profile:
        return Unchanged(answer=profile)
    return _refusal(profile, changed, known) or _decided(profile, changed)


def delete_profile(
    profile: Profile | None,
    command: DeleteProfile,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a profile. Refused `not_found`, and `in_use` with the count while live DIDs use it."""
    if profile is None or not profile.is_changeable_by(command.caller):
        return not_found(WHAT)
    use = known.get(ProfileUse, profile.profile_id)
    users = Users(dids=use.dids if use else 0)
    refused = in_use(WHAT, users, "apply another one to the DIDs or clear their routing")
    return refused or _decided(profile, replace(profile, deleted=True))


def _refusal(before: Profile | None, after: Profile, known: Known) -> Refused | None:
    """Return why the fields that change are not allowed, or None."""
    for field, model, what in NAMED:
        if _is_new(before, after, field):
            named = known.get(model, getattr(after, field))
            if named is None or not named.serves(after.account):
                return Refused("not_found", f"No such {what} serves the account.", field)
    if after.automatic_for is not None and _is_new(before, after, "automatic_for"):
        return _refusal_of_account(after.automatic_for, after, known)
    return None


def _refusal_of_account(account: str, profile: Profile, known: Known) -> Refused | None:
    if not is_within(account, profile.account):
        return Refused("not_found", "The profile does not serve this account.", "automatic_for")
    other = known.get(AutomaticProfile, account)
    if other is not None and other.profile is not None:
        return Refused(
            "automatic_for_taken", "Another profile is automatic for this account already.", "automatic_for"
        )
    return None


def _with_alternatives(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes, each of which clears its alternative."""
    given = {name for name in changes if changes[name] is not None}
    emptied = {other: None for one, other in _ALTERNATIVES if one in given}
    return {**emptied, **changes}


def _is_new(before: Profile | None, after: Profile, field: str) -> bool:
    value = getattr(after, field)
    return value is not None and (before is None or getattr(before, field) != value)


def _decided(before: Profile | None, after: Profile) -> Decision:
    """Save the profile, and let the automatic profiles of the accounts follow."""
    automatic: dict[str, AutomaticProfile] = {}
    if before is not None and before.automatic_for is not None:
        automatic[before.automatic_for] = AutomaticProfile(account=before.automatic_for)
    if after.automatic_for is not None and not after.deleted:
        automatic[after.automatic_for] = AutomaticProfile(account=after.automatic_for, profile=after)
    return Decided(state=after, also=tuple(automatic.values()), answer=after)
