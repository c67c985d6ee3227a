"""Configuration profiles in answers."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_chassis.decision import Caller
from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import Channels
from didflow_provisioning.domain.profiles.profile import Profile


class ProfileResponse(BaseModel):
    """A configuration profile. Null: it leaves the setting as it is."""

    configuration_profile_id: UUID
    account: str
    name: str
    voice_trunk_id: UUID | None
    voice_trunk_group_id: UUID | None
    capacity: Channels | None
    capacity_group_id: UUID | None
    sms_trunk_id: UUID | None
    automatic_for: str | None = Field(
        description="The account to whose new DIDs it is applied automatically. Null for none, and for an account that "
        "is neither above nor below yours."
    )
    created_at: datetime

    @classmethod
    def of(cls, profile: Profile, caller: Caller) -> Self:
        """Return the response for a caller that the profile serves."""
        return cls(
            configuration_profile_id=profile.profile_id,
            account=profile.account,
            name=profile.name,
            voice_trunk_id=profile.voice_trunk_id,
            voice_trunk_group_id=profile.voice_trunk_group_id,
            capacity=profile.capacity,
            capacity_group_id=profile.capacity_group_id,
            sms_trunk_id=profile.sms_trunk_id,
            automatic_for=_shown_to(caller, profile.automatic_for),
            created_at=profile.created_at,
        )


def _shown_to(caller: Caller, account: str | None) -> str | None:
    """Return an account, or None if the caller is neither above nor below it: no other account is shown."""
    is_shown = account is not None and (caller.reaches(account) or is_within(caller.account, account))
    return account if is_shown else None
