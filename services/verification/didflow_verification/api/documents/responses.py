"""Responses about documents. The response to an upload has no data of the document: it is stored for replays."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_verification.domain.details.document import Document, MediaType


class DocumentReference(BaseModel):
    """A document without its data. `GET` returns the data."""

    document_id: UUID
    identity_id: UUID
    account: str
    type: str
    media_type: MediaType = Field(description="Detected from the content.")
    size: int = Field(description="Bytes.")
    created_at: datetime


class DocumentResponse(DocumentReference):
    """A document with its data, without its content."""

    sha256: str = Field(description="SHA-256 of the file, in hex.")
    issued_on: date | None
    expires_on: date | None
    states: dict[str, str]


def document_reference(document: Document) -> DocumentReference:
    """Return the response for a document without its data."""
    return DocumentReference(
        document_id=document.document_id,
        identity_id=document.identity_id,
        account=document.account,
        type=document.kind,
        media_type=document.media_type,
        size=document.size,
        created_at=document.created_at,
    )


def document_response(document: Document) -> DocumentResponse:
    """Return the response for a document."""
    return DocumentResponse(
        **document_reference(document).model_dump(),
        sha256=document.sha256,
        issued_on=document.issued_on,
        expires_on=document.expires_on,
        states=dict(document.states),
    )
