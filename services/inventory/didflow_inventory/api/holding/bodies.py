"""The bodies of changes of DIDs."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import HOLD_DAYS, ITEMS, TEXT
from didflow_contracts.names import DidNames
from didflow_contracts.vocabulary import AfterHold, Features
from didflow_inventory.api.bodies import ShortText
from didflow_inventory.domain.holding.commands import Edits

LongText = Annotated[str, StringConstraints(max_length=TEXT.most, pattern=r"^[^\x00]*$")]
Tags = Annotated[list[ShortText], Field(max_length=ITEMS.most)]
DEFAULT_HOLD_DAYS = 30


class DidsBody(BaseModel):
    """The DIDs of a batch action."""

    model_config = ConfigDict(extra="forbid")

    dids: DidNames = Field(description="1 to 1,000 ids or numbers.")


class EditBody(BaseModel):
    """The fields of a DID that its holder can change. Fields that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    description: LongText | None = Field(
        default=None, description="What the number is for; null for nothing."
    )
    notes: LongText | None = Field(default=None, description="Notes for people. They are in no event.")
    tags: Tags = Field(default=[], description="The tags, in place of the present ones.")
    features: Features = Field(default=(), description="Only while no user has the number.")
    carrier: ShortText | None = Field(
        default=None, description="Only while no user has the number; null for the default carrier."
    )
    sms_carrier: ShortText | None = Field(
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
