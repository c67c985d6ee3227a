"""A capacity group is created, changed and deleted. Source: spec provisioning, Routing."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_provisioning.domain.capacity.commands import (
    ChangeCapacityGroup,
    CreateCapacityGroup,
    DeleteCapacityGroup,
)
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.in_use import Users, in_use
from didflow_provisioning.domain.profiles.profile import NamingProfiles
from didflow_provisioning.domain.serves_below import LIVE_DID, counted, created, not_found

WHAT: Final = "capacity group"


def create_capacity_group(
    group: CapacityGroup | None, command: CreateCapacityGroup, now: datetime
) -> Decision:
    """Create a group. Refused `not_found` if the caller does not reach the account."""
    new = CapacityGroup(
        group_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        channels=command.channels,
        overcommit=command.overcommit,
        created_at=now,
    )
    return created(group, new, command.caller)


def change_capacity_group(
    group: CapacityGroup | None,
    command: ChangeCapacityGroup,
    now: datetime,  # noqa: ARG001
) -> Decision:
    """Change a group. Refused `not_found`, and `in_use` if its channels would be reduced below what is reserved.

    That holds for a group with overcommit too. To end overcommit is always possible: the members keep what they have
    reserved, and nothing more can be reserved.
    """
    if group is None or not group.is_changeable_by(command.caller):
        return not_found(WHAT)
    changed = replace(group, **command.changes)
    if changed == group:
        return Unchanged(answer=group)
    if changed.channels < min(group.channels, group.reserved):
        return Refused("in_use", f"{_reserved(group)} Free some of them first.", "channels")
    return Decided(state=changed, answer=changed)


def delete_capacity_group(
    group: CapacityGroup | None,
    command: DeleteCapacityGroup,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a group. Refused `not_found`, and `in_use` with the counts while live DIDs or profiles use it."""
    if group is None or not group.is_changeable_by(command.caller):
        return not_found(WHAT)
    naming = known.get(NamingProfiles, group.group_id)
    users = Users(dids=group.dids, profiles=naming.profiles if naming else 0)
    refused = in_use(WHAT, users, "set another capacity on the DIDs")
    return refused or Decided(state=replace(group, deleted=True))


def _reserved(group: CapacityGroup) -> str:
    verb = "is" if group.reserved == 1 else "are"
    return f"{counted(group.reserved, 'channel')} {verb} reserved by {counted(group.dids, LIVE_DID)}."
