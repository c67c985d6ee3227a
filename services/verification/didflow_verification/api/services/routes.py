"""Additional services over HTTP: requested and canceled by accounts, decided by reviewers or a carrier."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page, parse_name
from didflow_verification import store
from didflow_verification.api.asking import MANAGERS, READERS, noted, one, plain
from didflow_verification.api.services.bodies import Body, DecideBody, RequestsQuery
from didflow_verification.api.services.shown import (
    ServiceRequestShown,
    ServiceRequestWhole,
    request_shown,
    request_whole,
)
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.services.commands import CancelService, DecideService
from didflow_verification.store import REQUESTS, service_requests

router = APIRouter(prefix="/v1/service-requests", tags=["service-requests"])


@router.post("", status_code=201, response_model=ServiceRequestShown)
async def request_service(http: Http, body: Body) -> Response:
    """Request a service for a DID; answers a request that changes were required of by the same call."""
    http.require(*MANAGERS)
    rows = await http.rows(store.registrations_named([parse_name(body.did)], http.caller))
    if not rows:
        raise http.problem(404, "not_found", "No such DID is in your reach.")
    registration: Registration = store.state_in(store.REGISTRATIONS, rows[0])
    return await http.run(body.command(registration, http.caller), status=201, render=plain(request_shown))


@router.get("")
async def list_requests(http: Http, query: Annotated[RequestsQuery, Query()]) -> Page:
    """The open requests of the caller's subtree, oldest first; or those that were asked for."""
    http.require(*READERS)
    render = plain(request_shown)
    return await http.page(
        store.owned(REQUESTS, http.caller, *query.conditions()),
        sort={"requested_at": service_requests.c.requested_at},
        render=lambda row: render(store.state_in(REQUESTS, row)),
    )


@router.get("/{request_id}")
async def show_request(http: Http, request_id: UUID) -> ServiceRequestWhole:
    """One request with what it states."""
    request: ServiceRequest = await one(http, REQUESTS, request_id)
    await noted(http, "service_request", request_id)
    return request_whole(request)


@router.post("/{request_id}/decide")
async def decide(http: Http, request_id: UUID, body: DecideBody) -> Response:
    """Move a request on: a reviewer, or a carrier's back office."""
    http.require("reviewer", "service")
    request = await _found(http, request_id)
    command = DecideService(
        entity_id=request.did_id,
        subject=request.number,
        caller=http.caller,
        request_id=request_id,
        state=body.state,
        reasons=tuple(reason.reason() for reason in body.reasons),
    )
    return await http.run(command, render=plain(request_shown))


@router.post("/{request_id}/cancel")
async def cancel(http: Http, request_id: UUID) -> Response:
    """Cancel a request, or the service that came of it."""
    http.require(*MANAGERS)
    request = await _found(http, request_id)
    command = CancelService(
        entity_id=request.did_id, subject=request.number, caller=http.caller, request_id=request_id
    )
    return await http.run(command, render=plain(request_shown))


async def _found(http: HttpContext, request_id: UUID) -> ServiceRequest:
    request: ServiceRequest = await one(http, REQUESTS, request_id)
    return request
