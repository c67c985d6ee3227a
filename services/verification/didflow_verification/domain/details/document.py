"""Documents: papers of an identity, whose bytes lie encrypted elsewhere under a content id.

A document never changes but for where its bytes lie; what it states goes when it is erased.
"""

from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_verification.domain.details.commands import EnterDocument, MoveContent
from didflow_verification.domain.details.entries import reached
from didflow_verification.domain.details.identity import Document, Identity

MediaType = Literal["application/pdf", "image/png", "image/jpeg"]

MAX_BYTES: Final = 10 * 1024 * 1024
"""The largest document, in bytes. Source: spec verification, Catalogue."""

SUFFIXES: Final = MappingProxyType({"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"})
"""What the file of a document is called by, for each media type that is taken."""


class StoredDocument(Struct, frozen=True, kw_only=True):
    """A document of one identity, in that identity's account, recognized as readable when it was uploaded.

    `kind` is what the paper is (`passport`, `utility_bill`, ...), `media_type` what its content was found to
    be. `content_id` names the encrypted bytes, `size` of them in clear; None once they are erased.
    """

    document_id: UUID
    identity_id: UUID
    account: str
    kind: str
    media_type: MediaType
    size: int
    content_id: UUID | None
    issued_on: date | None
    expires_on: date | None
    states: tuple[tuple[str, str], ...]
    created_at: datetime
    created_by: str
    erased_at: datetime | None = None

    def judged(self) -> Document:
        """Return what an evaluation looks at."""
        return Document(
            document_id=self.document_id,
            identity_id=self.identity_id,
            kind=self.kind,
            readable=True,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            states=self.states,
        )


def enter_document(
    document: StoredDocument | None, command: EnterDocument, now: datetime, known: Known
) -> Decision:
    """Enter a document. Refused `not_found` for an identity out of the caller's reach, or erased."""
    if document is not None:
        return Unchanged(answer=document)
    identity = reached(known.get(Identity, command.identity_id), command.caller)
    if identity is None:
        return Refused("not_found", "no such identity", "identity_id")
    made = StoredDocument(
        document_id=command.entity_id,  # type: ignore[arg-type]
        identity_id=identity.identity_id,
        account=identity.account,
        kind=command.kind,
        media_type=command.media_type,  # type: ignore[arg-type]
        size=command.size,
        content_id=command.content_id,
        issued_on=command.issued_on,
        expires_on=command.expires_on,
        states=command.states,
        created_at=now,
        created_by=command.caller.subject,
    )
    return Decided(state=made, answer=made)


def move_content(document: StoredDocument | None, command: MoveContent, _now: datetime) -> Decision:
    """Let a document's bytes lie where they were encrypted anew; a move that came too late changes nothing."""
    if document is None or document.content_id != command.former:
        return Unchanged()
    return Decided(state=replace(document, content_id=command.content_id))
