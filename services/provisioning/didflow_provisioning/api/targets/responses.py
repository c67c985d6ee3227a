"""The responses about targets."""

from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_chassis.decision import Caller
from didflow_chassis.http import JobResponse
from didflow_contracts.events.carrier import Endpoint
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTrunk

CHANGE_JOB: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": JobResponse, "description": "It is in use: a job carries the change to the DIDs on it."}
}
"""The further answer of a change of a target."""


class VoiceTrunkResponse(BaseModel):
    """A voice trunk."""

    voice_trunk_id: UUID
    account: str
    name: str
    endpoints: tuple[Endpoint, ...] | None = Field(
        description="Where calls go, in order. Null for a trunk of an account above yours."
    )
    created_at: datetime

    @classmethod
    def of(cls, trunk: VoiceTrunk, caller: Caller) -> Self:
        """Return the response for a caller that the trunk serves."""
        return cls(
            voice_trunk_id=trunk.trunk_id,
            account=trunk.account,
            name=trunk.name,
            endpoints=trunk.endpoints if caller.reaches(trunk.account) else None,
            created_at=trunk.created_at,
        )


class GroupTrunkResponse(BaseModel):
    """A voice trunk of a group."""

    voice_trunk_id: UUID
    priority: int | None = Field(description="Null: that of the trunk.")
    weight: int | None = Field(description="Null: that of the trunk.")


class VoiceTrunkGroupResponse(BaseModel):
    """A voice trunk group."""

    voice_trunk_group_id: UUID
    account: str
    name: str
    trunks: tuple[GroupTrunkResponse, ...] | None = Field(
        description="Its trunks. Null for a group of an account above yours."
    )
    created_at: datetime

    @classmethod
    def of(cls, group: VoiceTrunkGroup, caller: Caller) -> Self:
        """Return the response for a caller that the group serves."""
        trunks = tuple(GroupTrunkResponse.model_validate(each, from_attributes=True) for each in group.trunks)
        return cls(
            voice_trunk_group_id=group.group_id,
            account=group.account,
            name=group.name,
            trunks=trunks if caller.reaches(group.account) else None,
            created_at=group.created_at,
        )


class SmsTrunkResponse(BaseModel):
    """An SMS trunk, without its secret."""

    sms_trunk_id: UUID
    account: str
    name: str
    endpoint: Endpoint | None = Field(
        description="Where messages go. Null for a trunk of an account above yours."
    )
    has_secret: bool
    created_at: datetime

    @classmethod
    def of(cls, trunk: SmsTrunk, caller: Caller) -> Self:
        """Return the response for a caller that the trunk serves."""
        return cls(
            sms_trunk_id=trunk.trunk_id,
            account=trunk.account,
            name=trunk.name,
            endpoint=trunk.endpoint if caller.reaches(trunk.account) else None,
            has_secret=trunk.secret is not None,
            created_at=trunk.created_at,
        )


class CredentialsResponse(BaseModel):
    """What an adapter needs to connect to an SMS trunk."""

    sms_trunk_id: UUID
    endpoint: Endpoint
    secret: str | None = Field(description="The secret of a callback or the password of an SMPP account.")
    secret_version: int = Field(description="As in the settings of the endpoint in carrier commands.")
