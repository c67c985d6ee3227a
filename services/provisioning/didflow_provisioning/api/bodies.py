"""The bodies and query parameters of requests. Unknown fields are refused."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from didflow_contracts.names import DidNames
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import Channels


class Body(BaseModel):
    """A body. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class DidsBody(Body):
    """DIDs to change."""

    dids: DidNames = Field(description="1 to 1,000 DID ids or numbers.")


class SetVoiceBody(DidsBody):
    """The voice trunk or the voice trunk group of these DIDs. Setting one clears the other."""

    voice_trunk_id: UUID | None = None
    voice_trunk_group_id: UUID | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.voice_trunk_id is None) == (self.voice_trunk_group_id is None):
            raise wrong_field(
                "voice_trunk_id", "Send either voice_trunk_id or voice_trunk_group_id, and not both."
            )
        return self


class SetSmsBody(DidsBody):
    """The SMS trunk of these DIDs."""

    sms_trunk_id: UUID


class SetCapacityBody(DidsBody):
    """The number of concurrent calls of these DIDs: channels of their own, or channels of a group."""

    capacity: Channels | None = Field(
        default=None,
        description="0 or more channels, `unlimited`, or null for not set. In a group: the channels that each DID "
        "reserves; 1 if absent or null. Required without a group.",
    )
    capacity_group_id: UUID | None = Field(
        default=None,
        description="The group whose channels are reserved. Absent or null: channels of their own.",
    )

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if self.capacity_group_id is None and "capacity" not in self.model_fields_set:
            raise wrong_field("capacity", "Send capacity, or capacity_group_id.", code="missing")
        if self.capacity_group_id is not None and self.capacity == "unlimited":
            raise wrong_field("capacity", "A DID reserves a number of channels of a capacity group.")
        return self
