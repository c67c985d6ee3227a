"""Routes of verifications: the queue of reviewers, claims, decisions, and resubmission."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page, Router
from didflow_verification import store
from didflow_verification.api.reads import as_json, read_one
from didflow_verification.api.verifications.bodies import (
    RejectBody,
    ResubmitBody,
    RevokeBody,
    VerificationsQuery,
)
from didflow_verification.api.verifications.groups import read_groups
from didflow_verification.api.verifications.judged_details import read_judged
from didflow_verification.api.verifications.responses import (
    VerificationResponse,
    verification_reference,
    verification_response,
)
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Approve, Claim, Reject, Release, Revoke

router = Router(tags=["verifications"])


@router.get("/verifications", action="read_verifications")
async def list_verifications(http: Http, query: Annotated[VerificationsQuery, Query()]) -> Page:
    """List the pending verifications of your accounts, the oldest first, or those that the filters select.

    With `group_by=details`, list one item for all pending verifications of the same details, the oldest first.
    """
    if query.group_by:
        return await read_groups(http, query)
    statement = store.within_reach(store.VERIFICATIONS, http.caller, *query.conditions())
    render = as_json(verification_reference)
    return await http.page(
        statement,
        sort={"submitted_at": store.verifications.c.submitted_at},
        render=lambda row: render(store.state_of(store.VERIFICATIONS, row)),
    )


@router.get("/verifications/{verification_id}", action="read_verifications")
async def read_verification(http: Http, verification_id: UUID) -> VerificationResponse:
    """Read one verification with its evaluation, the details as they were judged, and what changed since.

    It also has up to 100 earlier verifications of the DID, the latest first.
    """
    verification = await _verification(http, verification_id)
    judged = await read_judged(http, verification)
    rows = await http.rows(store.earlier_verifications(verification, http.caller))
    earlier = [store.state_of(store.VERIFICATIONS, row) for row in rows]
    return verification_response(judged.attempt, judged.documents, judged.changed_since, earlier)


@router.post("/verifications/{verification_id}/approve", action="decide_verifications")
async def approve(http: Http, verification_id: UUID) -> Response:
    """Approve a verification. Its details are in force from now on."""
    verification = await _verification(http, verification_id)
    command = Approve(
        entity_id=verification.did_id,
        subject=verification.number,
        caller=http.caller,
        verification_id=verification_id,
    )
    return await http.run(command, render=as_json(verification_reference))


@router.post("/verifications/{verification_id}/reject", action="decide_verifications")
async def reject(http: Http, verification_id: UUID, body: RejectBody) -> Response:
    """Reject a verification, with at least one coded reason."""
    verification = await _verification(http, verification_id)
    command = Reject(
        entity_id=verification.did_id,
        subject=verification.number,
        caller=http.caller,
        verification_id=verification_id,
        reasons=tuple(reason.reason() for reason in body.reasons),
    )
    return await http.run(command, render=as_json(verification_reference))


@router.post("/verifications/{verification_id}/resubmit", action="resubmit", status_code=201)
async def resubmit(http: Http, verification_id: UUID, body: ResubmitBody) -> Response:
    """Submit again after a rejection or the end of an approval. Details that the body leaves out do not change."""
    verification = await _verification(http, verification_id)
    command = body.command(verification, http.caller)
    return await http.run(command, status=201, render=as_json(verification_reference))


@router.post("/verifications/{verification_id}/revoke", action="decide_verifications")
async def revoke(http: Http, verification_id: UUID, body: RevokeBody) -> Response:
    """Revoke an approval. If it is automatic, the review that it rests on is revoked too, unless `only_this` is set.

    A job then ends every approval that rests on the review.
    """
    verification = await _verification(http, verification_id)
    command = Revoke(
        entity_id=verification.did_id,
        subject=verification.number,
        caller=http.caller,
        verification_id=verification_id,
        reasons=body.coded_reasons(),
        only_this=body.only_this,
    )
    return await http.run(command, render=as_json(verification_reference))


@router.post("/verifications/{verification_id}/claim", action="decide_verifications")
async def claim(http: Http, verification_id: UUID) -> Response:
    """Claim a verification for 15 minutes, so that no other reviewer works on it."""
    verification = await _verification(http, verification_id)
    command = Claim(entity_id=verification_id, subject=verification.number, caller=http.caller)
    return await http.run(command, render=as_json(verification_reference))


@router.post("/verifications/{verification_id}/release", action="decide_verifications")
async def release(http: Http, verification_id: UUID) -> Response:
    """Release your claim of a verification."""
    verification = await _verification(http, verification_id)
    command = Release(entity_id=verification_id, subject=verification.number, caller=http.caller)
    return await http.run(command, render=as_json(verification_reference))


async def _verification(http: HttpContext, verification_id: UUID) -> Verification:
    found: Verification = await read_one(http, store.VERIFICATIONS, verification_id, "verification")
    return found
