"""The bodies of changes of DIDs."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import HOLD_DAYS, ITEMS
from didflow_contracts.names import DidNames
from didflow_contracts.vocabulary import AfterHold, Features, Name, Text
from didflow_inventory.api.bodies import Body
from didflow_inventory.domain.holding.commands import Edits

Tags = Annotated[list[Name], Field(max_length=ITEMS.most)]
DEFAULT_HOLD_DAYS = 30


class DidsBody(Body):
    """The DIDs of a batch action."""

    dids: DidNames = Field(description="1 to 1,000 ids or numbers.")


class EditBody(Body):
    """The fields of a DID that its holder can change. Fields that are left out stay as they are."""

    description: Text | None = Field(default=None, description="What the number is for; null for nothing.")
    notes: Text | None = Field(default=None, description="Notes for people. They are in no event.")
    tags: Tags = Field(default=[], description="The tags, in place of the present ones.")
    features: Features = Field(default=(), description="Only while no user has the number.")
    carrier: Name | None = Field(
        default=None, description="Only while no user has the number; null for the default carrier."
    )
    sms_carrier: Name | None = Field(
        default=None, description="Only while no user has the number; null for the default carrier."
    )
    after_hold: AfterHold | None = Field(
        default=None,
        description="What comes after the present hold, and after each hold that does not say it; null for `back`.",
    )

    def edits(self) -> Edits:
        """Return the fields that were given."""
        given = {
            name: getattr(self, name) for name in Edits.__struct_fields__ if name in self.model_fields_set
        }
        return Edits(**{name: _frozen(value) for name, value in given.items()})

    def is_description_alone(self) -> bool:
        """Return True if nothing but the description was given."""
        return self.model_fields_set <= {"description"}


class BatchEditBody(EditBody):
    """An edit of one or more DIDs."""

    dids: DidNames = Field(description="1 to 1,000 ids or numbers.")
    add_tags: Tags = Field(default=[], description="Tags to add to the present ones.")
    remove_tags: Tags = Field(default=[], description="Tags to remove.")


class AssignAccountBody(DidsBody):
    """The account that DIDs are handed to."""

    account: AccountPath = Field(description="An account below yours.")


class AssignUserBody(DidsBody):
    """The user that DIDs are assigned to."""

    user_id: UUID | None = Field(description="A user of the account that has the DIDs; null to unassign.")


class HoldBody(DidsBody):
    """A hold of one or more DIDs."""

    days: Annotated[int, Field(strict=True, ge=HOLD_DAYS.least, le=HOLD_DAYS.most)] = Field(
        default=DEFAULT_HOLD_DAYS, description="How many days the hold lasts."
    )
    after_hold: AfterHold | None = Field(
        default=None,
        description="What comes after the hold. If absent, what the DID has for its next hold, else `back`.",
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
