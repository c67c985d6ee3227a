"""Capacity groups in answers."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_chassis.decision import Caller
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

    @classmethod
    def of(cls, group: CapacityGroup, _caller: Caller) -> Self:
        """Return the response for a caller that the group serves."""
        return cls(
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
