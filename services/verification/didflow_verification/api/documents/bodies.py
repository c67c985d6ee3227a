"""The form of an upload."""

import json
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationError

from didflow_chassis.decision import Caller
from didflow_chassis.http import ErrorMessage, check_fields, invalid_input
from didflow_contracts.bounds import STATED_VALUE, STATED_VALUES
from didflow_contracts.instants import DocumentDate
from didflow_verification.api.bodies import StrictModel
from didflow_verification.documents.contents import ContentWriter
from didflow_verification.domain.commands import CreateDocument

Word = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]{0,63}$"),
    ErrorMessage("Write a name of lower-case letters, digits and underscores, such as utility_bill."),
]
Value = Annotated[
    str,
    Field(
        min_length=STATED_VALUE.least, max_length=STATED_VALUE.most, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"
    ),
    ErrorMessage(
        f"Write a text of {STATED_VALUE.least} to {STATED_VALUE.most} characters that is not blank."
    ),
]


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError('Write a JSON object, such as {"holder_last_name": "Example"}.') from None


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Day = Annotated[DocumentDate | None, BeforeValidator(_none_if_empty)]


class DocumentFields(StrictModel):
    """The fields of an upload's form, before its `file`."""

    identity_id: UUID
    type: Word = Field(description="The type of the document, such as `passport` or `utility_bill`.")
    issued_on: Day = None
    expires_on: Day = None
    states: Annotated[dict[Word, Value], BeforeValidator(_parsed), Field(max_length=STATED_VALUES.most)] = (
        Field(
            default={},
            description="The data on the document, for cross-checks: a JSON object with keys such as "
            "`holder_last_name` or `company_name`.",
        )
    )

    @classmethod
    def of(cls, fields: dict[str, str]) -> Self:
        """Return the validated fields. Raises Problem `unknown_field` or `input_invalid`, without any value."""
        check_fields(cls, fields)
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            found: list[Any] = [e | {"loc": ("body", *e["loc"])} for e in error.errors()]
            raise invalid_input(found, fields) from None

    def command(
        self, document_id: UUID, content: ContentWriter, media_type: str, caller: Caller
    ) -> CreateDocument:
        """Return the command for a content that is already stored."""
        return CreateDocument(
            entity_id=document_id,
            subject="",
            caller=caller,
            identity_id=self.identity_id,
            kind=self.type,
            media_type=media_type,
            size=content.size,
            sha256=content.sha256,
            content_id=content.content_id,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            states=tuple(sorted(self.states.items())),
        )
