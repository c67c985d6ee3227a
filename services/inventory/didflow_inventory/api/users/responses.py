"""A user in an answer. The answer to a change has no personal data: it is stored for replays."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_inventory.domain.accounts.users import User, UserKind


class UserReference(BaseModel):
    """A user of an enterprise without personal data. `GET` returns the data."""

    user_id: UUID
    account: str
    kind: UserKind
    default_did: UUID | None = Field(description="The id of its default DID.")
    default_number: str | None = Field(description="The number of its default DID.")
    sms_enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User, *, has_default: bool = True) -> Self:
        """Return the answer. Without `has_default`, the user no longer has the DID that was its default."""
        values = {name: getattr(user, name) for name in cls.model_fields}
        return cls(**values | ({} if has_default else {"default_did": None, "default_number": None}))


class UserResponse(UserReference):
    """A user with its personal data."""

    name: str
    subject: str | None
    email: str | None
    extension: str | None
