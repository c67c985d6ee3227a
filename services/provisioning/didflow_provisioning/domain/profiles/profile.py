"""A configuration profile: the targets and the capacity that it sets on DIDs. What it leaves out stays as it is.

Source: spec provisioning, Routing.
"""

from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Known
from didflow_contracts.accounts import lineage
from didflow_contracts.vocabulary import Channels
from didflow_provisioning.domain.serves_below import ServesBelow


class AppliedProfile(Struct, frozen=True, kw_only=True):
    """The configuration profile that a DID uses, and the account that owns it."""

    profile_id: UUID
    account: str


class Profile(ServesBelow, frozen=True, kw_only=True):
    """A configuration profile. It may be applied to the DIDs that it serves.

    A field that is None is left out. It has a voice trunk or a voice trunk group, not both, and `capacity` or a
    capacity group, not both. `automatic_for` is the account to whose new DIDs, and those of the accounts below it, the
    profile is applied automatically.
    """

    profile_id: UUID
    voice_trunk_id: UUID | None = None
    voice_trunk_group_id: UUID | None = None
    capacity: Channels | None = None
    capacity_group_id: UUID | None = None
    sms_trunk_id: UUID | None = None
    automatic_for: str | None = None

    @property
    def applied(self) -> AppliedProfile:
        """The profile as a DID names it."""
        return AppliedProfile(profile_id=self.profile_id, account=self.account)


class ProfileUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that use a profile. There is no such state for zero."""

    profile_id: UUID
    dids: int


class NamingProfiles(Struct, frozen=True, kw_only=True):
    """The number of configuration profiles that name a target or a capacity group. There is no such state for zero."""

    named_id: UUID
    profiles: int


class AutomaticProfile(Struct, frozen=True, kw_only=True):
    """The profile that is applied automatically to the new DIDs of an account, as it is now, or None.

    It has the whole profile, so a new DID needs no other read. The profile and this state change in one decision.
    """

    account: str
    profile: Profile | None = None


def automatic_profile(account: str, known: Known) -> Profile | None:
    """Return the profile for new DIDs of an account: that of the nearest account that has one."""
    states = (known.get(AutomaticProfile, path) for path in lineage(account))
    return next((state.profile for state in states if state is not None and state.profile is not None), None)
