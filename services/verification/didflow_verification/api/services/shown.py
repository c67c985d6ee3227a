"""What is shown of additional services. Answers to changes carry nothing that a request states."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict
from pydantic import BaseModel

from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.service_request import ServiceRequest


class ServiceRequestShown(BaseModel):
    """One request for an additional service, without what it states."""

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


class ServiceRequestWhole(ServiceRequestShown):
    """One request with what it states; nothing once it is closed."""

    address_id: UUID | None = None
    caller_name: str | None = None
    brand: str | None = None
    use_case: str | None = None
    sample_messages: list[str] = []
    opt_in_text: str | None = None
    display_name: str | None = None


def request_shown(request: ServiceRequest) -> ServiceRequestShown:
    """Show a request without what it states."""
    return ServiceRequestShown.model_validate(request, from_attributes=True)


def request_whole(request: ServiceRequest) -> ServiceRequestWhole:
    """Show a request with what it states."""
    stated = asdict(request.data) if request.data else {}
    return ServiceRequestWhole(**request_shown(request).model_dump(), **stated)
