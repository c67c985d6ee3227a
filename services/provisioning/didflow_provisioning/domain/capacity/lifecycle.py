"""A capacity group is created, changed and deleted. Source: spec provisioning, Routing."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Refused, Unchanged
from didflow_provisioning.domain.capacity.commands import (
    ChangeCapacityGroup,
    CreateCapacityGroup,
    DeleteCapacityGroup,
)
from didflow_provisioning.domain.capacity.group import CapacityGroup

NOT_FOUND: Final = Refused("not_found", "No such capacity group in your accounts.")


def create_capacity_group(
    group: CapacityGroup | None, command: CreateCapacityGroup, now: datetime
) -> Decision:
    """Create a group. Refused `not_found` if the caller does not reach the account."""
    if group is not None:
        return Unchanged(answer=group)
    if not command.caller.reaches(command.account):
        return Refused("not_found", "No such account among your accounts.", "account")
    created = CapacityGroup(
        group_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        channels=command.channels,
        overcommit=command.overcommit,
        created_at=now,
    )
    return Decided(state=created, answer=created)


def change_capacity_group(
    group: CapacityGroup | None,
    command: ChangeCapacityGroup,
    now: datetime,  # noqa: ARG001
) -> Decision:
    """Change a group. Refused `not_found`, and `in_use` if it would have fewer channels than are reserved.

    That holds for a group with overcommit too. To end overcommit is always possible: the members keep what they have
    reserved, and nothing more can be reserved.
    """
    if group is None or not group.may_be_changed_by(command.caller):
        return NOT_FOUND
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
) -> Decision:
    """Delete a group. Refused `not_found`, and `in_use` with the count while live DIDs are members."""
    if group is None or not group.may_be_changed_by(command.caller):
        return NOT_FOUND
    if group.dids:
        return Refused("in_use", _in_use(group.dids))
    return Decided(state=replace(group, deleted=True))


def _reserved(group: CapacityGroup) -> str:
    channels = "1 channel is" if group.reserved == 1 else f"{group.reserved} channels are"
    return f"{channels} reserved by {_live_dids(group.dids)}."


def _in_use(dids: int) -> str:
    uses = "uses" if dids == 1 else "use"
    return f"{_live_dids(dids)} {uses} this capacity group. Set another capacity on them, then delete it."


def _live_dids(dids: int) -> str:
    return "1 live DID" if dids == 1 else f"{dids} live DIDs"
