"""Routes of additional services: accounts request and cancel them, reviewers and carriers decide."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page, Router
from didflow_contracts.names import parse_did
from didflow_verification import store
from didflow_verification.api.reads import as_json, not_found, read_one, record_reads
from didflow_verification.api.service_requests.bodies import Body, DecideBody, RequestsQuery
from didflow_verification.api.service_requests.responses import (
    ServiceRequestReference,
    ServiceRequestResponse,
    request_reference,
    request_response,
)
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.commands import CancelService, DecideService

router = Router(prefix="/v1/service-requests", tags=["service-requests"])


@router.post("", action="request_service", status_code=201, response_model=ServiceRequestReference)
async def request_service(http: Http, body: Body) -> Response:
    """Request a service for a DID. After `changes_required`, the same call sends the request again."""
    did = parse_did(body.did)
    rows = await http.rows(store.registrations_named([did], http.caller)) if did else []
    if not rows:
        raise not_found("DID")
    registration: Registration = store.state_of(store.REGISTRATIONS, rows[0])
    command = body.command(registration, http.caller)
    return await http.run(command, status=201, render=as_json(request_reference))


@router.get("", action="read_service_requests")
async def list_requests(http: Http, query: Annotated[RequestsQuery, Query()]) -> Page:
    """List the open requests of your accounts, the oldest first, or the requests that the filters select."""
    render = as_json(request_reference)
    return await http.page(
        store.within_reach(store.SERVICE_REQUESTS, http.caller, *query.conditions()),
        sort={"requested_at": store.service_requests.c.requested_at},
        render=lambda row: render(store.state_of(store.SERVICE_REQUESTS, row)),
    )


@router.get("/{request_id}", action="read_service_requests")
async def read_request(http: Http, request_id: UUID) -> ServiceRequestResponse:
    """Read one request with its data. The read is recorded."""
    request = await _request(http, request_id)
    await record_reads(http, "service_request", request_id)
    return request_response(request)


@router.post("/{request_id}/decide", action="decide_service")
async def decide(http: Http, request_id: UUID, body: DecideBody) -> Response:
    """Move a request to its next state. Reviewers and the back office of a carrier may do this."""
    request = await _request(http, request_id)
    command = DecideService(
        entity_id=request.did_id,
        subject=request.number,
        caller=http.caller,
        request_id=request_id,
        state=body.state,
        reasons=tuple(reason.reason() for reason in body.reasons),
    )
    return await http.run(command, render=as_json(request_reference))


@router.post("/{request_id}/cancel", action="request_service")
async def cancel(http: Http, request_id: UUID) -> Response:
    """Cancel a request, or the active service."""
    request = await _request(http, request_id)
    command = CancelService(
        entity_id=request.did_id, subject=request.number, caller=http.caller, request_id=request_id
    )
    return await http.run(command, render=as_json(request_reference))


async def _request(http: HttpContext, request_id: UUID) -> ServiceRequest:
    request: ServiceRequest = await read_one(http, store.SERVICE_REQUESTS, request_id, "request")
    return request
