"""Routes of documents: upload, list, read, download, erase."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from didflow_chassis.http import Http, HttpContext, Page, Problem, Router
from didflow_contracts.instants import DocumentDate
from didflow_verification import store
from didflow_verification.api.bodies import DetailsQuery
from didflow_verification.api.documents.bodies import DocumentFields
from didflow_verification.api.documents.form import MAX_FIELD_BYTES
from didflow_verification.api.documents.responses import (
    DocumentReference,
    DocumentResponse,
    document_response,
)
from didflow_verification.api.documents.upload import delete_contents, release_contents, uploads_of
from didflow_verification.api.reads import not_found, read_page, record_reads
from didflow_verification.documents.contents import Contents
from didflow_verification.documents.errors import ContentGone, KeyMissing, StoreMissing
from didflow_verification.domain.commands import EraseDocument
from didflow_verification.domain.details.document import SUFFIXES, Document

router = Router(tags=["documents"])

_DATE: Final = TypeAdapter(DocumentDate).json_schema()
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["identity_id", "type", "file"],
                    "properties": {
                        "identity_id": {"type": "string", "format": "uuid"},
                        "type": DocumentFields.model_json_schema()["properties"]["type"],
                        "issued_on": _DATE,
                        "expires_on": _DATE,
                        "states": {
                            "type": "string",
                            "x-personal": True,
                            "maxLength": MAX_FIELD_BYTES,
                            "description": DocumentFields.model_fields["states"].description,
                        },
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "PDF, PNG or JPEG of at most 10 MiB, after all fields.",
                        },
                    },
                },
                "example": {
                    "identity_id": "01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10",
                    "type": "utility_bill",
                    "issued_on": "2026-10-01",
                    "states": '{"address": "1 Quay Street, Dublin 2, D02 X000"}',
                    "file": "(the file)",
                },
            }
        },
    }
}


@router.post(
    "/documents",
    action="write_details",
    status_code=201,
    response_model=DocumentReference,
    openapi_extra=_FORM,
)
async def upload_document(request: Request) -> Response:
    """Upload a document of an identity: a form with the fields first, then the `file`.

    The file type is detected from its content. A file that cannot be read is refused `document_unreadable`.
    """
    http = HttpContext(
        request=request, runtime=request.app.state.runtime, caller=request.state.caller, key=None
    )
    return await uploads_of(http).receive(http, request)


@router.get("/documents", action="read_details")
async def list_documents(http: Http, query: Annotated[DetailsQuery, Query()]) -> Page:
    """List the documents of your accounts, without their contents."""
    return await read_page(http, store.DOCUMENTS, query, document_response)


@router.get("/documents/{document_id}", action="read_details")
async def read_document(http: Http, document_id: UUID) -> DocumentResponse:
    """Read one document without its content. The read is recorded."""
    return document_response(await _visible_document(http, document_id))


@router.get(
    "/documents/{document_id}/content",
    action="read_details",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in SUFFIXES}, "description": "The file as uploaded"}},
)
async def download_document(http: Http, document_id: UUID) -> StreamingResponse:
    """Download the file. The download is recorded before it begins."""
    document = await _visible_document(http, document_id)
    contents = uploads_of(http).contents
    pieces = _pieces(http, contents, document)
    try:
        first = await anext(pieces)
    except (KeyMissing, StoreMissing) as error:
        raise Problem(
            "unavailable",
            "The key or the store of this document is not configured. Ask the operator to add it.",
        ) from error
    await record_reads(http, "content", document_id)
    name = f"{document.kind}-{document.document_id}.{SUFFIXES[document.media_type]}"
    headers = {
        "Content-Length": str(document.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_with(first, pieces), media_type=document.media_type, headers=headers)


@router.delete("/documents/{document_id}", action="write_details", status_code=204, response_class=Response)
async def delete_document(http: Http, document_id: UUID) -> Response:
    """Erase a document with its content. Refused `in_use` while a live DID uses it."""
    released = await release_contents(http, store.documents.c.document_id == document_id)
    response = await http.run(
        EraseDocument(entity_id=document_id, subject="", caller=http.caller), status=204
    )
    await delete_contents(http, document_id, released)
    return response


async def _visible_document(http: HttpContext, document_id: UUID) -> Document:
    """Return a document that the caller may see, and record the read. Raises Problem `not_found`."""
    rows = await http.rows(store.visible_document(document_id, http.caller))
    if not rows:
        raise not_found("document")
    await record_reads(http, "document", document_id)
    return store.state_of(store.DOCUMENTS, rows[0])


async def _pieces(http: HttpContext, contents: Contents, document: Document) -> AsyncIterator[bytes]:
    """Yield the content. If it was encrypted again meanwhile, continue with the new content at the same position.

    Raises Problem `not_found` if the document was erased.
    """
    position = 0
    while document.content_id is not None:
        try:
            async for piece in contents.read(document.content_id, document.size, first=position):
                yield piece
                position += 1
            return
        except ContentGone:
            rows = await http.rows(store.by_keys(store.DOCUMENTS, [document.document_id]))
            current = store.state_of(store.DOCUMENTS, rows[0])
            if current.content_id == document.content_id:
                raise
            document = current
    raise not_found("document")


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
