"""A configuration profile: the targets and the capacity that it sets on DIDs. What it leaves out stays as it is.

Source: spec provisioning, Routing.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Caller, Known
from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import Channels


class AppliedProfile(Struct, frozen=True, kw_only=True):
    """The configuration profile that a DID uses, and the account that owns it."""

    profile_id: UUID
    account: str


class Profile(Struct, frozen=True, kw_only=True):
    """A configuration profile. It serves its account and the accounts below.

    A field that is None is left out. It has a voice trunk or a voice trunk group, not both, and
    `capacity` or a capacity group, not both. `automatic_for` is the account
    to whose new DIDs, and those of the accounts below it, the profile is applied by itself.
    """

    profile_id: UUID
    account: str
    name: str
    voice_trunk_id: UUID | None = None
    voice_trunk_group_id: UUID | None = None
    capacity: Channels | None = None
    capacity_group_id: UUID | None = None
    sms_trunk_id: UUID | None = None
    automatic_for: str | None = None
    created_at: datetime
    deleted: bool = False

    @property
    def applied(self) -> AppliedProfile:
        """The profile as a DID names it."""
        return AppliedProfile(profile_id=self.profile_id, account=self.account)

    def serves(self, account: str) -> bool:
        """Return True if the profile may be applied to a DID of this account."""
        return not self.deleted and is_within(account, self.account)

    def may_be_changed_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches the profile. Accounts below may apply it only."""
        return not self.deleted and caller.reaches(self.account)


class ProfileUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that use a profile. There is no such state for zero."""

    profile_id: UUID
    dids: int


class AutomaticProfile(Struct, frozen=True, kw_only=True):
    """The profile that is applied to the new DIDs of an account by itself, as it is now, or None.

    It has the whole profile, so a new DID needs no other read. The profile and this state change in one decision.
    """

    account: str
    profile: Profile | None = None


def lineage(account: str) -> tuple[str, ...]:
    """Return an account and all accounts above it, the nearest first."""
    parts = account.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))


def automatic_profile(account: str, known: Known) -> Profile | None:
    """Return the profile for new DIDs of an account: that of the nearest account that has one."""
    states = (known.get(AutomaticProfile, path) for path in lineage(account))
    return next((state.profile for state in states if state is not None and state.profile is not None), None)
