"""Documents over HTTP: uploaded, listed, given back to those who may see them, forgotten when unused."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from didflow_chassis.http import Http, HttpContext, Page
from didflow_chassis.http.problems import Problem
from didflow_verification import store
from didflow_verification.api.asking import MANAGERS, entries, noted
from didflow_verification.api.documents.bodies import (
    DocumentEntered,
    DocumentFields,
    DocumentShown,
    document_shown,
)
from didflow_verification.api.documents.keeping import contents_of, forget, intake_of
from didflow_verification.api.documents.reach import reached
from didflow_verification.api.listing import EntriesQuery
from didflow_verification.documents.contents import Contents, Gone
from didflow_verification.documents.keys import KeyMissing
from didflow_verification.domain.details.commands import EraseDocument
from didflow_verification.domain.details.document import SUFFIXES, StoredDocument

router = APIRouter(prefix="/v1", tags=["documents"])

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
                        "issued_on": {"type": "string", "format": "date"},
                        "expires_on": {"type": "string", "format": "date"},
                        "states": {
                            "type": "string",
                            "description": DocumentFields.model_fields["states"].description,
                        },
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "PDF, PNG or JPEG of at most 10 MiB; after all fields.",
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


@router.post("/documents", status_code=201, response_model=DocumentEntered, openapi_extra=_FORM)
async def upload_document(request: Request) -> Response:
    """Enter a paper of an identity: a form with its fields first, then its `file`, streamed.

    What it is is told by its content; one that cannot be read is refused `document_unreadable`.
    """
    http = HttpContext(
        request=request, runtime=request.app.state.runtime, caller=request.state.caller, key=None
    )
    http.require(*MANAGERS)
    return await intake_of(http).take(http, request)


@router.get("/documents")
async def list_documents(http: Http, query: Annotated[EntriesQuery, Query()]) -> Page:
    """The documents of the caller's subtree, without their content."""
    return await entries(http, store.DOCUMENTS, query, document_shown)


@router.get("/documents/{document_id}")
async def show_document(http: Http, document_id: UUID) -> DocumentShown:
    """One document without its content. Who is shown it is noted."""
    return document_shown(await reached(http, document_id))


@router.get(
    "/documents/{document_id}/content",
    response_class=Response,
    responses={
        200: {"content": {kind: {} for kind in SUFFIXES}, "description": "The file, as it was uploaded"}
    },
)
async def give_document(http: Http, document_id: UUID) -> StreamingResponse:
    """The file. Who is given it is noted first."""
    document = await reached(http, document_id)
    contents = intake_of(http).contents
    pieces = _pieces(http, contents, document)
    try:
        first = await anext(pieces)
    except KeyMissing as error:
        raise Problem("unavailable", "The key of this document is not configured.") from error
    await noted(http, "content", document_id)
    name = f"{document.kind}-{document.document_id}.{SUFFIXES[document.media_type]}"
    headers = {
        "Content-Length": str(document.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_with(first, pieces), media_type=document.media_type, headers=headers)


@router.delete("/documents/{document_id}", status_code=204, response_class=Response)
async def delete_document(http: Http, document_id: UUID) -> Response:
    """Forget a document and its bytes; refused `in_use` while a living DID rests on it."""
    http.require(*MANAGERS)
    former = await contents_of(http, store.documents.c.document_id == document_id)
    response = await http.run(
        EraseDocument(entity_id=document_id, subject="", caller=http.caller), status=204
    )
    await forget(http, former)
    return response


async def _pieces(http: HttpContext, contents: Contents, document: StoredDocument) -> AsyncIterator[bytes]:
    """Yield the content; where it was encrypted anew meanwhile, go on with the new one at the same place.

    Raises Problem `not_found` where it was erased.
    """
    place = 0
    while document.content_id is not None:
        try:
            async for piece in contents.read(document.content_id, document.size, first=place):
                yield piece
                place += 1
            return
        except Gone:
            rows = await http.rows(store.by_keys(store.DOCUMENTS, [document.document_id]))
            moved = store.state_in(store.DOCUMENTS, rows[0])
            if moved.content_id == document.content_id:
                raise
            document = moved
    raise http.problem(404, "not_found", "Nothing of this id is in your reach.")


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
