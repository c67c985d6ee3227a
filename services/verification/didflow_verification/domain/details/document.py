"""Documents of an identity. Their bytes are stored elsewhere, encrypted, under a content id.

A document never changes, except that its content can be moved. Erasure removes its data and its bytes.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.bounds import INSTANT
from didflow_contracts.instants import start_of
from didflow_verification.domain.commands import CreateDocument, MoveContent
from didflow_verification.domain.details.changes import within_reach
from didflow_verification.domain.details.identity import Identity

MediaType = Literal["application/pdf", "image/png", "image/jpeg"]

MAX_BYTES: Final = 10 * 1024 * 1024
"""The largest document, in bytes. Source: spec verification, Catalogue."""

SUFFIXES: Final = MappingProxyType({"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"})
"""The suffix of the file name for each accepted media type."""


class DocumentFacts(Struct, frozen=True, kw_only=True):
    """The part of a document that an evaluation uses: its kind, its dates and its data (attribute -> text).

    `readable` is True if the content has a format that a reviewer can open. `sha256` is the hash of the content.
    """

    document_id: UUID
    identity_id: UUID
    kind: str
    readable: bool
    sha256: str | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    states: tuple[tuple[str, str], ...] = field(default=())

    @property
    def last_day(self) -> date | None:
        """The last day on which the document counts; None if it has no end. Source: spec events, Bounds.

        An end after the last instant, such as the usual 9999-12-31, is no end.
        """
        if self.expires_on is None or self.expires_on >= INSTANT.most.date():
            return None
        return self.expires_on

    def attribute(self, name: str) -> str | None:
        """Return an attribute of the document, or None if the document does not have it."""
        stated: Mapping[str, str] = dict(self.states)
        return stated.get(name, "").strip() or None


class JudgedDocument(Struct, frozen=True, kw_only=True):
    """A document as a verification judged it: which one, of what kind, and the SHA-256 of its content in hex.

    `kind` and `sha256` are None if it was not a document of the identity that was submitted with it.
    """

    document_id: UUID
    kind: str | None = None
    sha256: str | None = None


class Document(Struct, frozen=True, kw_only=True):
    """A document of one identity, in the account of that identity. Only readable documents are stored.

    `kind` is what the document is (`passport`, `utility_bill`, ...). `media_type` was detected from its content.
    `content_id` is the id of the encrypted bytes, or None after erasure. `size` counts the bytes before encryption.
    `sha256` is their hash before encryption, in hex, or None after erasure.
    """

    document_id: UUID
    identity_id: UUID
    account: str
    kind: str
    media_type: MediaType
    size: int
    sha256: str | None = None
    content_id: UUID | None
    issued_on: date | None
    expires_on: date | None
    states: tuple[tuple[str, str], ...]
    created_at: datetime
    created_by: str
    erased_at: datetime | None = None

    def facts(self) -> DocumentFacts:
        """Return the part that an evaluation uses."""
        return DocumentFacts(
            document_id=self.document_id,
            identity_id=self.identity_id,
            kind=self.kind,
            readable=True,
            sha256=self.sha256,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            states=self.states,
        )


def judged_documents(
    submitted: Iterable[UUID], evaluated: Iterable[DocumentFacts]
) -> tuple[JudgedDocument, ...]:
    """Return the submitted documents as they were judged, and the others that were evaluated with them."""
    found = {document.document_id: document for document in evaluated}
    return tuple(
        JudgedDocument(document_id=key, kind=found[key].kind, sha256=found[key].sha256)
        if key in found
        else JudgedDocument(document_id=key)
        for key in dict.fromkeys((*submitted, *found))
    )


def facts_of(document_ids: Iterable[UUID], known: Known) -> tuple[DocumentFacts, ...]:
    """Return the facts of these documents. Documents that do not exist or were erased are left out."""
    found = (known.get(Document, key) for key in document_ids)
    return tuple(document.facts() for document in found if document and not document.erased_at)


def create_document(
    document: Document | None, command: CreateDocument, now: datetime, known: Known
) -> Decision:
    """Create a document. Refused `not_found` if the identity was erased or is not within the caller's reach.

    Refused `out_of_range` if it was issued later than today. All days are UTC. Source: spec verification, Catalogue.
    """
    if document is not None:
        return Unchanged(answer=document)
    if command.issued_on is not None and start_of(command.issued_on) > now:
        return Refused("out_of_range", "A document cannot be issued after today (UTC).", "issued_on")
    identity = within_reach(known.get(Identity, command.identity_id), command.caller)
    if identity is None:
        return Refused("not_found", "No such identity in your accounts.", "identity_id")
    created = Document(
        document_id=command.entity_id,  # type: ignore[arg-type]
        identity_id=identity.identity_id,
        account=identity.account,
        kind=command.kind,
        media_type=command.media_type,  # type: ignore[arg-type]
        size=command.size,
        sha256=command.sha256,
        content_id=command.content_id,
        issued_on=command.issued_on,
        expires_on=command.expires_on,
        states=command.states,
        created_at=now,
        created_by=command.caller.actor,
    )
    return Decided(state=created, answer=created)


def move_content(document: Document | None, command: MoveContent, _now: datetime) -> Decision:
    """Replace the content of a document. If the document no longer has the former content, nothing changes."""
    if document is None or document.content_id != command.former:
        return Unchanged()
    return Decided(state=replace(document, content_id=command.content_id))
