"""What callers send and see of documents. Answers to uploads carry nothing that a paper states."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from didflow_chassis.decision import Caller
from didflow_chassis.http import check_fields, invalid_input
from didflow_verification.domain.details.commands import EnterDocument
from didflow_verification.domain.details.document import MediaType, StoredDocument

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Stated = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")
]


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON object") from None


def _absent(value: object) -> object:
    return None if value == "" else value


Day = Annotated[date | None, BeforeValidator(_absent)]


class DocumentFields(BaseModel):
    """The fields of an upload's form, before its `file`."""

    model_config = ConfigDict(extra="forbid")

    identity_id: UUID
    type: Word = Field(description="What the paper is, as requirements name it: `passport`, `utility_bill`.")
    issued_on: Day = None
    expires_on: Day = None
    states: Annotated[dict[Word, Stated], BeforeValidator(_parsed), Field(max_length=20)] = Field(
        default={},
        description="What it states, for cross-checks: a JSON object, e.g. `holder_last_name`, `company_name`.",
    )

    @classmethod
    def of(cls, fields: dict[str, str]) -> Self:
        """Read the fields. Raises Problem `unknown_field` or `input_invalid`, which never repeats a value."""
        check_fields(cls, fields)
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            found: list[Any] = [e | {"loc": ("body", *e["loc"])} for e in error.errors()]
            raise invalid_input(found, fields) from None

    def command(
        self, document_id: UUID, content_id: UUID, media_type: str, size: int, caller: Caller
    ) -> EnterDocument:
        """Make the command for bytes that are stored already."""
        return EnterDocument(
            entity_id=document_id,
            subject="",
            caller=caller,
            identity_id=self.identity_id,
            kind=self.type,
            media_type=media_type,
            size=size,
            content_id=content_id,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            states=tuple(sorted(self.states.items())),
        )


class DocumentEntered(BaseModel):
    """A document by its id; what it states is shown by `GET` only."""

    document_id: UUID
    identity_id: UUID
    account: str
    type: str
    media_type: MediaType = Field(description="What the content was found to be.")
    size: int = Field(description="Bytes.")
    created_at: datetime


class DocumentShown(DocumentEntered):
    """A document without its content."""

    issued_on: date | None
    expires_on: date | None
    states: dict[str, str]


def document_entered(document: StoredDocument) -> DocumentEntered:
    """Show a document's id."""
    return DocumentEntered(
        document_id=document.document_id,
        identity_id=document.identity_id,
        account=document.account,
        type=document.kind,
        media_type=document.media_type,
        size=document.size,
        created_at=document.created_at,
    )


def document_shown(document: StoredDocument) -> DocumentShown:
    """Show a document."""
    return DocumentShown(
        **document_entered(document).model_dump(),
        issued_on=document.issued_on,
        expires_on=document.expires_on,
        states=dict(document.states),
    )
