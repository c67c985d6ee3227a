"""Responses about additional services. The response to a change has no data of the request: replays store it."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict
from pydantic import BaseModel

from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.service_request import ServiceRequest


class ServiceRequestReference(BaseModel):
    """A request for an additional service, without its data."""

    request_id: UUID
    did_id: UUID
    number: str
    account: str
    service: AdditionalService
    state: ServiceState
    identity_id: UUID
    reasons: list[Reason]
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None
    decided_by: str | None


class ServiceRequestResponse(ServiceRequestReference):
    """A request with its data. A closed request has no data."""

    address_id: UUID | None = None
    caller_name: str | None = None
    brand: str | None = None
    use_case: str | None = None
    sample_messages: list[str] = []
    opt_in_text: str | None = None
    display_name: str | None = None


def request_reference(request: ServiceRequest) -> ServiceRequestReference:
    """Return the response for a request without its data."""
    return ServiceRequestReference.model_validate(request, from_attributes=True)


def request_response(request: ServiceRequest) -> ServiceRequestResponse:
    """Return the response for a request with its data."""
    data = asdict(request.data) if request.data else {}
    return ServiceRequestResponse(**request_reference(request).model_dump(), **data)
