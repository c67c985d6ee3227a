"""Capacity groups in answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_provisioning.domain.capacity.group import CapacityGroup


class CapacityGroupResponse(BaseModel):
    """A capacity group."""

    capacity_group_id: UUID
    account: str
    name: str
    channels: int
    overcommit: bool
    reserved: int = Field(description="The channels that its members have reserved.")
    free: int = Field(
        description="`channels` minus `reserved`. Negative if more are reserved than there are."
    )
    dids: int = Field(description="How many live DIDs are members.")
    created_at: datetime


def group_json(group: CapacityGroup) -> Mapping[str, Any]:
    """Return a capacity group as JSON values."""
    shown = CapacityGroupResponse(
        capacity_group_id=group.group_id,
        account=group.account,
        name=group.name,
        channels=group.channels,
        overcommit=group.overcommit,
        reserved=group.reserved,
        free=group.free,
        dids=group.dids,
        created_at=group.created_at,
    )
    return shown.model_dump(mode="json")
