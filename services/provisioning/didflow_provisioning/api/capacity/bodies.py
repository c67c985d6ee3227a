"""The bodies of requests about capacity groups."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.vocabulary import Count, Flag, Name


class CapacityGroupBody(BaseModel):
    """A new capacity group."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    account: AccountPath | None = Field(default=None, description="The owner. Default: your account.")
    channels: Count = Field(description="How many calls its members can have at the same time.")
    overcommit: Flag = Field(
        default=False, description="Whether members can reserve more channels than there are."
    )


class CapacityGroupChangeBody(BaseModel):
    """The fields of a capacity group to change. Fields that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    channels: Count = Field(default=0, description="They cannot be reduced below what is reserved.")
    overcommit: Flag = Field(
        default=False, description="If it is turned off, members keep what they have reserved."
    )

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return self.model_dump(exclude_unset=True)
