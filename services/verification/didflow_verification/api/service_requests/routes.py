"""Routes of additional services: accounts request and cancel them, reviewers and carriers decide."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Page, Router
from didflow_contracts.names import parse_did
from didflow_verification import store
from didflow_verification.api.reads import as_json, read_one, record_reads
from didflow_verification.api.service_requests.bodies import (
    BatchBody,
    Body,
    CorrectBody,
    DecideBody,
    RequestsQuery,
)
from didflow_verification.api.service_requests.responses import (
    ServiceRequestReference,
    ServiceRequestResponse,
    request_reference,
    request_response,
)
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.commands import CancelService, CorrectService, DecideService
from didflow_verification.domain.service_requests.lifecycle import NO_REGISTRATION

router = Router(prefix="/v1/service-requests", tags=["service-requests"])


@router.post("", action="request_service", status_code=201, response_model=ServiceRequestReference)
async def request_service(http: Http, body: Body) -> Response:
    """Request a service for a DID."""
    entity = (await _entities(http, [body.did])).get(body.did)
    if entity is None:
        raise http.problem(404, NO_REGISTRATION.code, NO_REGISTRATION.message)
    command = body.command(entity, http.caller)
    return await http.run(command, status=201, render=as_json(request_reference))


@router.batch("/batch/request", action="request_service", item="did")
async def request_services(http: Http, body: BatchBody) -> BatchAnswer:
    """Request a service for DIDs, with the same data for each of them."""
    return await http.batch(
        body.dids, _entities, lambda entity: body.command(entity, http.caller), absent=NO_REGISTRATION
    )


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


@router.post("/{request_id}/correct", action="request_service")
async def correct(http: Http, request_id: UUID, body: CorrectBody) -> Response:
    """Send a request again after `changes_required`. Fields that the body leaves out do not change."""
    request = await _request(http, request_id)
    command = CorrectService(
        entity_id=request.did_id,
        subject=request.number,
        caller=http.caller,
        request_id=request_id,
        changes=body.changes(),
    )
    return await http.run(command, render=as_json(request_reference))


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


async def _entities(http: HttpContext, names: list[str]) -> Mapping[str, NamedEntity]:
    """Find live DIDs by their ids or numbers, by one statement."""
    parsed = {name: did for name in names if (did := parse_did(name)) is not None}
    if not parsed:
        return {}
    found: dict[UUID | str, NamedEntity] = {}
    for row in await http.rows(store.registrations_named(set(parsed.values()), http.caller)):
        entity = NamedEntity(entity_id=row["did_id"], subject=row["number"])
        found.setdefault(row["did_id"], entity)
        found.setdefault(row["number"], entity)
    return {name: found[did] for name, did in parsed.items() if did in found}


async def _request(http: HttpContext, request_id: UUID) -> ServiceRequest:
    request: ServiceRequest = await read_one(http, store.SERVICE_REQUESTS, request_id, "request")
    return request
