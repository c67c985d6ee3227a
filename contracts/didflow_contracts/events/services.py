"""The additional services of a DID: emergency, A2P SMS, CNAM. Each is an axis. Published by verification."""

from typing import ClassVar, Self
from uuid import UUID

from pydantic import Field, model_validator

from didflow_contracts.event_data import EventData
from didflow_contracts.events.registration import Reasons
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import AdditionalService, ServiceState

_REVIEWED: frozenset[ServiceState] = frozenset(
    ("not_configured", "new", "in_process", "active", "changes_required")
)
SERVICE_STATES: dict[AdditionalService, frozenset[ServiceState]] = {
    "emergency": _REVIEWED,
    "a2p_sms": _REVIEWED,
    "cnam": frozenset(("not_configured", "pending", "active", "cancelation_pending")),
}
"""The states of each service. Source: spec lifecycle, Additional services."""


class ServiceChanged(EventData):
    """The state of one additional service of a DID. Per service, the highest `sequence` is the current one."""

    topic: ClassVar[str] = "service.changed"

    service: AdditionalService = Field(description="The additional service.")
    state: ServiceState = Field(description="The state of the service after this event.")
    request_id: UUID | None = Field(
        default=None, description="The service request that this is about, or null."
    )
    reasons: Reasons = Field(default=(), description="Why the state changed, each reason with a code.")

    @model_validator(mode="after")
    def _state_belongs_to_the_service(self) -> Self:
        if self.state not in SERVICE_STATES[self.service]:
            raise wrong_field("state", f"The service {self.service} has no state {self.state}.")
        return self
