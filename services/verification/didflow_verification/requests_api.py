"""Additional services over HTTP: requested and canceled by accounts, decided by reviewers or a carrier."""

from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from didflow_chassis.decision import Caller
from didflow_chassis.http import Http, HttpContext, Page, parse_name
from didflow_contracts.ids import uuid7
from didflow_contracts.vocabulary import Service, ServiceState
from didflow_verification import store
from didflow_verification.asking import MANAGERS, READERS, noted, one, plain
from didflow_verification.bodies import ReasonBody
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.services.commands import CancelService, DecideService, RequestService
from didflow_verification.shown import ServiceRequestShown, ServiceRequestWhole, request_shown, request_whole
from didflow_verification.store import REQUESTS, service_requests

router = APIRouter(prefix="/v1/service-requests", tags=["service-requests"])

UseCase = Literal[
    "two_factor_authentication",
    "account_notification",
    "customer_care",
    "delivery_notification",
    "fraud_alert",
    "higher_education",
    "marketing",
    "mixed",
    "polling_voting",
    "public_service_announcement",
    "security_alert",
]

Line = Annotated[str, Field(max_length=200)]
Message = Annotated[str, Field(min_length=1, max_length=1600)]


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    did: Annotated[str, Field(description="Id or number.")]

    def command(self, registration: Registration, caller: Caller) -> RequestService:
        """Make the command for the DID."""
        stated = self.model_dump(exclude={"did", "service"})
        return RequestService(
            entity_id=registration.did_id,
            subject=registration.number,
            caller=caller,
            request_id=uuid7(),
            service=getattr(self, "service"),  # noqa: B009 - each of the bodies below has one
            data=ServiceData(**stated),
        )


class EmergencyBody(_Wanted):
    """Emergency calling: where help is sent, and who calls."""

    service: Literal["emergency"]
    address_id: Annotated[UUID, Field(description="A civic address of the DID's end user, in its country.")]
    caller_name: Line


class A2pBody(_Wanted):
    """Messages from programs: whose brand, what for, what they say, and how people agreed to them."""

    service: Literal["a2p_sms"]
    brand: Line
    use_case: UseCase
    sample_messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=5)]
    opt_in_text: Annotated[str, Field(max_length=2000)]


class CnamBody(_Wanted):
    """The name that is shown to who is called; numbers of the United States and Canada only."""

    service: Literal["cnam"]
    display_name: Annotated[Line, Field(description="At most 15 letters, digits and spaces.")]


Body = Annotated[EmergencyBody | A2pBody | CnamBody, Field(discriminator="service")]


class DecideBody(BaseModel):
    """The next state; `changes_required` and a refused CNAM (`not_configured`) need reasons."""

    model_config = ConfigDict(extra="forbid")

    state: ServiceState
    reasons: Annotated[list[ReasonBody], Field(max_length=50)] = []


class RequestsQuery(BaseModel):
    """Which requests to list; the open ones where nothing is asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: str | None = None
    cursor: str | None = None
    sort: str | None = None
    service: Service | None = None
    state: ServiceState | Literal["all"] | None = None
    did_id: UUID | None = None
    number: Annotated[str, Field(pattern=r"^[+ ]?[0-9]{7,15}$")] | None = None
    identity_id: UUID | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield what the requests must satisfy."""
        for name in ("service", "did_id", "identity_id"):
            if getattr(self, name) is not None:
                yield service_requests.c[name] == getattr(self, name)
        if self.number is not None:
            yield service_requests.c.number == parse_name(self.number)
        if self.state is None:
            yield service_requests.c.state != "not_configured"
        elif self.state != "all":
            yield service_requests.c.state == self.state


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
