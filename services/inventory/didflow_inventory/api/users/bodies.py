"""The bodies of requests about users."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from didflow_chassis.http import Personal
from didflow_contracts.accounts import AccountPath
from didflow_contracts.names import DidName
from didflow_contracts.vocabulary import Flag, Name
from didflow_inventory.api.bodies import Body
from didflow_inventory.domain.accounts.users import UserKind

EMAIL = r"^[^\s@\x00]{1,64}@[^\s@\x00]{1,200}$"
Email = Annotated[str, StringConstraints(max_length=265, pattern=EMAIL)]
Extension = Annotated[str, StringConstraints(max_length=16, pattern=r"^\+[1-9][0-9]{1,14}$")]


class UserBody(Body):
    """A new user of an enterprise."""

    account: AccountPath | None = Field(
        default=None, description="An enterprise; your own account if absent."
    )
    name: Annotated[Name, Personal] = Field(description="Name of the user, for people.")
    kind: UserKind
    subject: Annotated[Name | None, Personal] = Field(
        default=None, description="The `sub` of the tokens of role user that see the DIDs of this user."
    )
    email: Annotated[Email | None, Personal] = None
    default_did: DidName | None = Field(
        default=None,
        description="Its default DID, by id or number. An unknown number is added as an external one, if the "
        "account allows that.",
    )
    sms_enabled: Flag = Field(
        default=False, description="Whether a PBX or trunk user gets further numbers, for messages."
    )
    extension: Annotated[Extension | None, Personal] = Field(
        default=None,
        description="The calling code and the extension. Only the roles operator and service set it.",
    )

    def fields(self) -> dict[str, Any]:
        """Return all fields but the account and the default DID."""
        return self.model_dump(exclude={"account", "default_did"})


class UserChangeBody(Body):
    """The fields of a user to change. Fields that are left out stay as they are."""

    name: Annotated[Name, Personal] = Field(default="", description="Name of the user, for people.")
    subject: Annotated[Name | None, Personal] = Field(
        default=None, description="Null: no token sees the DIDs of this user."
    )
    email: Annotated[Email | None, Personal] = None
    default_did: DidName = Field(
        default="", description="As for a new user. Unassign the present default DID first."
    )
    sms_enabled: Flag = False
    extension: Annotated[Extension | None, Personal] = Field(
        default=None, description="Only for a user that has one already."
    )

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given, without the default DID."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"default_did"}}
