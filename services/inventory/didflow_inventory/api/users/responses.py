"""A user in an answer."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_inventory.domain.accounts.users import User, UserKind


class UserResponse(BaseModel):
    """A user of an enterprise."""

    user_id: UUID
    account: str
    name: str
    kind: UserKind
    subject: str | None
    email: str | None
    default_did: UUID | None = Field(description="The id of its default DID.")
    default_number: str | None = Field(description="The number of its default DID.")
    sms_enabled: bool
    extension: str | None
    created_at: datetime

    @classmethod
    def of(cls, user: User, *, has_default: bool = True) -> "UserResponse":
        """Return the answer. Without `has_default`, the user no longer has the DID that was its default."""
        values = {name: getattr(user, name) for name in cls.model_fields}
        return cls(**values | ({} if has_default else {"default_did": None, "default_number": None}))
