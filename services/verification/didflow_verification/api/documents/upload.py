"""An upload: the content is encrypted and stored while it arrives, then recognized, then the document is created.

Whatever fails, a content without a document is deleted, at once or later by the sweep.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.database import Outage
from didflow_chassis.http import FieldError, HttpContext, Problem
from didflow_chassis.http.idempotency import REPLAYED, is_answered, key_of, replay
from didflow_chassis.stage.idempotency import IdempotencyKey
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.api.documents.bodies import DocumentFields
from didflow_verification.api.documents.form import FILE, Form
from didflow_verification.api.documents.responses import document_reference
from didflow_verification.api.documents.types import check_type
from didflow_verification.api.reads import as_json, not_found
from didflow_verification.documents.contents import (
    Contents,
    ContentWriter,
    StoredContents,
    open_contents,
    open_stored,
)
from didflow_verification.documents.recognition import Recognition, recognized
from didflow_verification.domain.details.document import MAX_BYTES

SWEPT_PER_UPLOAD = 5
"""How many unused contents are swept after an upload, so that they never accumulate."""


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """Shared by all uploads of one process: the contents, and the recognition."""

    contents: Contents
    recognition: Recognition = field(default_factory=Recognition)

    async def receive(self, http: HttpContext, request: Request) -> Response:
        """Receive one upload. Raises Problem, Replay, IdempotencyConflict or Outage."""
        form = Form(request, MAX_BYTES)
        key = key_of(request, http.caller)
        if await is_answered(http.rows, key):
            async for _ in form.pieces():
                pass
            await replay(http.rows, replace(key, digest=form.digest))
        upload = _Upload(http, self.contents, uuid7())
        try:
            async for piece in form.pieces():
                await upload.add(form.fields, piece)
            response = await upload.create_document(replace(key, digest=form.digest), self.recognition)
        finally:
            await upload.close()
        with suppress(Outage):
            await self.contents.sweep(SWEPT_PER_UPLOAD)
        return response


class _Upload:
    def __init__(self, http: HttpContext, contents: Contents, document_id: UUID) -> None:
        self._http = http
        self._contents = contents
        self._document_id = document_id
        self._fields: DocumentFields | None = None
        self._writer: ContentWriter | None = None
        self._created = False

    async def add(self, fields: dict[str, str], piece: bytes) -> None:
        """Store the next bytes. Before the first ones, check the fields and the caller's reach."""
        if self._writer is None:
            self._fields = DocumentFields.of(fields)
            await check_type(self._http, self._fields)
            account = await _account_of(self._http, self._fields.identity_id)
            self._writer = await self._contents.begin(self._document_id, account)
        await self._writer.add(piece)

    async def create_document(self, key: IdempotencyKey, recognition: Recognition) -> Response:
        """Recognize the stored content and run the command."""
        writer, fields = self._writer, self._fields
        if writer is None or fields is None:
            raise unreadable()
        await writer.finish()
        content = self._contents.read(writer.content_id, writer.size)
        kind = await recognized(content, recognition, self._http.caller.account)
        if kind is None:
            raise unreadable()
        if not await self._contents.hold(writer.content_id):
            raise Outage("the upload took too long")
        http = HttpContext(
            request=self._http.request, runtime=self._http.runtime, caller=self._http.caller, key=key
        )
        command = fields.command(self._document_id, writer, kind, http.caller)
        response = await http.run(command, status=201, render=as_json(document_reference))
        replayed = any(name in response.headers for name in REPLAYED)
        self._created = response.status_code == 201 and not replayed
        return response

    async def close(self) -> None:
        """Keep or delete the content. If the database is down, the sweep deletes it later."""
        if self._writer is None:
            return
        with suppress(Outage):
            if self._created:
                await self._contents.mark_used(self._writer.content_id)
            else:
                await self._contents.discard(self._writer.content_id)


def unreadable() -> Problem:
    """Return the problem of a file that nobody can read."""
    error = FieldError(
        field=FILE,
        code="document_unreadable",
        message="Send a complete PDF, PNG or JPEG that is not encrypted. The content counts, not the file name.",
    )
    return Problem("document_unreadable", "The file cannot be opened or read.", status=422, errors=[error])


async def _account_of(http: HttpContext, identity_id: UUID) -> str:
    """Return the account of an identity within the caller's reach. Raises Problem `not_found`."""
    statement = store.within_reach(
        store.IDENTITIES, http.caller, store.identities.c.identity_id == identity_id
    )
    rows = await http.rows(statement)
    if not rows:
        raise not_found("identity")
    account: str = rows[0]["account"]
    return account


def uploads_of(http: HttpContext) -> Uploads:
    """Return what the uploads of this application share. Raises Problem `unavailable` if no key is configured."""
    state = http.request.app.state
    if getattr(state, "uploads", None) is None:
        database: Any = http.runtime.database
        contents = open_contents(http.runtime.service.settings, database)
        if contents is None:
            raise Problem("unavailable", "No key for documents is configured. Ask the operator to set one.")
        state.uploads = Uploads(contents=contents)
    uploads: Uploads = state.uploads
    return uploads


async def release_contents(http: HttpContext, condition: Any) -> list[UUID]:
    """Mark the contents of documents that a command is about to erase as unused. Return their ids."""
    rows = await http.rows(store.within_reach(store.DOCUMENTS, http.caller, condition))
    found = [row["content_id"] for row in rows]
    if found:
        await uploads_of(http).contents.mark_unused(*found)
    return found


async def delete_contents(http: HttpContext, detail_id: UUID, released: list[UUID]) -> None:
    """Delete the contents that no document has any more: those released, and those left by the erased documents.

    A document can get another content after `release_contents`, and an identity another document.
    """
    contents = _stored_of(http)
    left = await contents.mark_left_unused(detail_id)
    if released or left:
        await contents.discard(*released, *left)


def _stored_of(http: HttpContext) -> StoredContents:
    """Return the stored contents, also if no key is configured: to delete a content needs none."""
    uploads: Uploads | None = getattr(http.request.app.state, "uploads", None)
    if uploads is not None:
        return uploads.contents
    database: Any = http.runtime.database
    return open_stored(http.runtime.service.settings, database)
