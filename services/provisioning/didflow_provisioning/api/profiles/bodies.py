"""The bodies of requests about configuration profiles."""

from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from didflow_contracts.accounts import AccountPath
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import Channels, Name
from didflow_provisioning.api.bodies import DidsBody


class _Settings(BaseModel):
    """What a profile sets. What is left out stays as it is on the DIDs."""

    model_config = ConfigDict(extra="forbid")

    voice_trunk_id: UUID | None = None
    voice_trunk_group_id: UUID | None = None
    capacity: Channels | None = Field(default=None, description="Channels of their own, or `unlimited`.")
    capacity_group_id: UUID | None = Field(default=None, description="Each DID reserves one channel of it.")
    sms_trunk_id: UUID | None = None
    automatic_for: AccountPath | None = Field(
        default=None,
        description="The account to whose new DIDs, and to those of the accounts below, it is applied automatically.",
    )

    @model_validator(mode="after")
    def _has_one_of_two(self) -> Self:
        if self.voice_trunk_id is not None and self.voice_trunk_group_id is not None:
            raise wrong_field("voice_trunk_id", "Send a voice trunk or a voice trunk group, and not both.")
        if self.capacity is not None and self.capacity_group_id is not None:
            raise wrong_field("capacity", "Send either capacity or capacity_group_id, and not both.")
        return self


class ProfileBody(_Settings):
    """A new configuration profile."""

    name: Name
    account: AccountPath | None = Field(default=None, description="The owner. Default: your account.")

    def fields(self) -> dict[str, Any]:
        """Return all fields but the account."""
        return self.model_dump(exclude={"account"})


class ProfileChangeBody(_Settings):
    """The fields of a configuration profile to change. Null removes a setting from the profile."""

    name: Name = ""

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return self.model_dump(exclude_unset=True)


class ApplyProfileBody(DidsBody):
    """The configuration profile to apply to these DIDs."""

    configuration_profile_id: UUID
