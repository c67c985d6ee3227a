"""Parts that the requests of several resources have in common."""

from collections.abc import Iterator
from typing import Annotated, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from didflow_chassis.http import ErrorMessage
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import BATCH, ITEMS, NAME, NUMBER_LIST, REASONS
from didflow_contracts.events.registration import Reason
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import Name
from didflow_contracts.vocabulary import Text as Message
from didflow_verification.domain.evaluation.findings import MESSAGES, REJECTION_CODES, REVIEWER_MESSAGES

Text = Annotated[
    str,
    Field(min_length=NAME.least, max_length=NAME.most, pattern=r"\S"),
    ErrorMessage(f"Write a text of {NAME.least} to {NAME.most} characters that is not blank."),
]
Ids = Annotated[list[UUID], Field(max_length=ITEMS.most)]


class StrictModel(BaseModel):
    """A body that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid")


def ids_of(text: str) -> list[UUID]:
    """Return the ids of a list separated by commas. Raises ValueError."""
    try:
        ids = [UUID(part) for part in text.split(",") if part]
    except ValueError:
        raise ValueError("Write ids separated by commas.") from None
    if len(ids) > BATCH.most:
        raise ValueError(f"List at most {BATCH.most:,} ids; there are {len(ids):,}.")
    return ids


def _checked_ids(text: str) -> str:
    ids_of(text)
    return text


IdList = Annotated[str, Field(max_length=NUMBER_LIST.most), AfterValidator(_checked_ids)]
"""Ids separated by commas, as a query parameter."""


class DetailsQuery(BaseModel):
    """Filters of a list of identities, addresses or documents."""

    ids: IdList | None = Field(default=None, description="Up to 1,000 ids, separated by commas.")
    identity_id: UUID | None = Field(default=None, description="The identity that they belong to.")
    account: AccountPath | None = Field(
        default=None, description="The account that they belong to, without accounts below."
    )

    def conditions(self, table: sa.Table, key: str) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the rows of a table."""
        if self.ids is not None:
            yield table.c[key].in_(ids_of(self.ids))
        if self.identity_id is not None:
            yield table.c.identity_id == self.identity_id
        if self.account is not None:
            yield table.c.account == self.account


def _rejection_code(code: str) -> str:
    if code not in REJECTION_CODES:
        raise ValueError(f"Use one of these codes: {', '.join(sorted(REJECTION_CODES))}.")
    return code


class ReasonBody(StrictModel):
    """A coded reason. The code `other` needs a message."""

    code: Annotated[Name, AfterValidator(_rejection_code)]
    field: Name | None = Field(default=None, description="The path of the detail that the reason is about.")
    message: Message = Field(
        default="", description="The text of the reviewer. Without it, the text of the code is used."
    )

    @model_validator(mode="after")
    def _other_has_a_message(self) -> Self:
        if self.code == "other" and not self.message.strip():
            raise wrong_field("message", "The reason `other` needs a message. Write one.", code="missing")
        return self

    def reason(self) -> Reason:
        """Return the reason, with the text of the code if there is no message."""
        standard = {**MESSAGES, **REVIEWER_MESSAGES}[self.code]
        return Reason(code=self.code, field=self.field, message=self.message or standard)


Reasons = Annotated[list[ReasonBody], Field(max_length=REASONS.most)]
SomeReasons = Annotated[Reasons, Field(min_length=REASONS.least)]
