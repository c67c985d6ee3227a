"""What can be wished for about additional services."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.service_request import ServiceData


@dataclass(frozen=True, kw_only=True)
class RequestService(Command):
    """A service for the DID `entity_id`, under `request_id`."""

    request_id: UUID
    service: AdditionalService
    data: ServiceData


@dataclass(frozen=True, kw_only=True)
class DecideService(Command):
    """Move a request of the DID `entity_id` on to a state."""

    request_id: UUID
    state: ServiceState
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CancelService(Command):
    """Cancel a request of the DID `entity_id`, or the service that came of it."""

    request_id: UUID
