"""A capacity group: a number of channels of which each member reserves some.

What is reserved is a field of the group. Each decision that reserves or frees channels changes it, under the exclusive
lock of the group. So it is never counted, and it is exact at every moment. Source: spec provisioning, Routing.
"""

from uuid import UUID

from msgspec import Struct

from didflow_provisioning.domain.serves_below import ServesBelow


class Membership(Struct, frozen=True, kw_only=True):
    """The capacity group that a DID is a member of, and the account that owns the group."""

    group_id: UUID
    account: str


class CapacityGroup(ServesBelow, frozen=True, kw_only=True):
    """A capacity group. A DID of an account that it serves may be a member.

    `reserved` is the sum of the channels that its members have reserved, and `dids` is the number of its members, all
    of them live. With `overcommit`, members can reserve more channels than there are. A deleted group has no members.
    """

    group_id: UUID
    channels: int
    overcommit: bool
    reserved: int = 0
    dids: int = 0

    @property
    def free(self) -> int:
        """The channels that nobody has reserved. Negative if more are reserved than there are."""
        return self.channels - self.reserved

    @property
    def membership(self) -> Membership:
        """The group as a member names it."""
        return Membership(group_id=self.group_id, account=self.account)

    def has_room_for(self, more: int) -> bool:
        """Return True if so many more channels can be reserved. A member can always keep or return what it has."""
        return more <= 0 or self.overcommit or more <= self.free
