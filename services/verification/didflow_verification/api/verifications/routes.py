"""Attempts over HTTP: the queue, claims, decisions, resubmission."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.api.asking import MANAGERS, READERS, noted, one, plain
from didflow_verification.api.verifications.bodies import (
    RejectBody,
    ResubmitBody,
    RevokeBody,
    VerificationsQuery,
)
from didflow_verification.api.verifications.shown import (
    VerificationWhole,
    verification_shown,
    verification_whole,
)
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.identity import Identity
from didflow_verification.domain.verifications.commands import Approve, Claim, Reject, Release, Revoke

router = APIRouter(prefix="/v1")


@router.get("/verifications", tags=["verifications"])
async def list_verifications(http: Http, query: Annotated[VerificationsQuery, Query()]) -> Page:
    """The queue of the caller's subtree, oldest first; or the attempts that were asked for."""
    http.require(*READERS)
    statement = store.owned(store.VERIFICATIONS, http.caller, *query.conditions())
    render = plain(verification_shown)
    return await http.page(
        statement,
        sort={"submitted_at": store.verifications.c.submitted_at},
        render=lambda row: render(store.state_in(store.VERIFICATIONS, row)),
    )


@router.get("/verifications/{verification_id}", tags=["verifications"])
async def show_verification(http: Http, verification_id: UUID) -> VerificationWhole:
    """One attempt with its details, its evaluation and the attempts before it."""
    attempt = await one(http, store.VERIFICATIONS, verification_id)
    identity = await _any(http, store.IDENTITIES, attempt.identity_id)
    address = await _any(http, store.ADDRESSES, attempt.address_id)
    await noted(http, "identity", *([identity.identity_id] if identity else []))
    await noted(http, "address", *([address.address_id] if address else []))
    papers = await _papers(http, attempt, identity)
    await noted(http, "document", *(paper.document_id for paper in papers))
    earlier = await http.rows(store.earlier_attempts(attempt, http.caller))
    attempts = [store.state_in(store.VERIFICATIONS, row) for row in earlier]
    return verification_whole(attempt, identity, address, papers, attempts)


@router.post("/verifications/{verification_id}/approve", tags=["verifications"])
async def approve(http: Http, verification_id: UUID) -> Response:
    """Approve an attempt; its details are in force from now on."""
    attempt = await _to_review(http, verification_id)
    command = Approve(
        entity_id=attempt.did_id,
        subject=attempt.number,
        caller=http.caller,
        verification_id=verification_id,
    )
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/reject", tags=["verifications"])
async def reject(http: Http, verification_id: UUID, body: RejectBody) -> Response:
    """Reject an attempt, for at least one coded reason."""
    attempt = await _to_review(http, verification_id)
    command = Reject(
        entity_id=attempt.did_id,
        subject=attempt.number,
        caller=http.caller,
        verification_id=verification_id,
        reasons=tuple(reason.reason() for reason in body.reasons),
    )
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/resubmit", tags=["verifications"], status_code=201)
async def resubmit(http: Http, verification_id: UUID, body: ResubmitBody) -> Response:
    """Submit again after a rejection; what the body leaves out stays as it was."""
    http.require(*MANAGERS)
    attempt = await one(http, store.VERIFICATIONS, verification_id)
    command = body.command(attempt, http.caller)
    return await http.run(command, status=201, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/revoke", tags=["verifications"])
async def revoke(http: Http, verification_id: UUID, body: RevokeBody) -> Response:
    """Take an approval back: it was had by fraud. What rests on it ends too, within moments."""
    attempt = await _to_review(http, verification_id)
    command = Revoke(
        entity_id=attempt.did_id,
        subject=attempt.number,
        caller=http.caller,
        verification_id=verification_id,
        reasons=body.told(),
    )
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/claim", tags=["verifications"])
async def claim(http: Http, verification_id: UUID) -> Response:
    """Keep an attempt for 15 minutes, so that no two reviewers look at it."""
    attempt = await _to_review(http, verification_id)
    command = Claim(entity_id=verification_id, subject=attempt.number, caller=http.caller)
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/release", tags=["verifications"])
async def release(http: Http, verification_id: UUID) -> Response:
    """Give a claimed attempt back to the queue."""
    attempt = await _to_review(http, verification_id)
    command = Release(entity_id=verification_id, subject=attempt.number, caller=http.caller)
    return await http.run(command, render=plain(verification_shown))


async def _any(http: HttpContext, kind: Kind[Any], key: UUID | None) -> Any:
    """Return a state that something of the caller's rests on, or None."""
    rows = await http.rows(store.by_keys(kind, [key])) if key else []
    return store.state_in(kind, rows[0]) if rows else None


async def _papers(
    http: HttpContext, attempt: Verification, identity: Identity | None
) -> list[StoredDocument]:
    """Return what an attempt was judged on of its own identity's papers, where that serves its account."""
    if identity is None or not identity.serves(attempt.account) or not attempt.document_ids:
        return []
    rows = await http.rows(store.by_keys(store.DOCUMENTS, attempt.document_ids))
    found = [store.state_in(store.DOCUMENTS, row) for row in rows]
    return [paper for paper in found if paper.identity_id == identity.identity_id and not paper.erased_at]


async def _to_review(http: HttpContext, verification_id: UUID) -> Verification:
    http.require("reviewer")
    attempt: Verification = await one(http, store.VERIFICATIONS, verification_id)
    return attempt
