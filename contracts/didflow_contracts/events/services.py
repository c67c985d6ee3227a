"""The additional services of a DID, one axis each: emergency, A2P SMS, CNAM. Verification says it."""

from typing import ClassVar, Self
from uuid import UUID

from pydantic import Field, model_validator

from didflow_contracts.event import EventData
from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import Service, ServiceState

_REVIEWED: frozenset[ServiceState] = frozenset(
    ("not_configured", "new", "in_process", "active", "changes_required")
)
SERVICE_STATES: dict[Service, frozenset[ServiceState]] = {
    "emergency": _REVIEWED,
    "a2p_sms": _REVIEWED,
    "cnam": frozenset(("not_configured", "pending", "active", "cancelation_pending")),
}
"""The states of each service. Source: spec lifecycle, Additional services."""


class ServiceChanged(EventData):
    """The state of one additional service of a DID; per service the highest `sequence` wins."""

    topic: ClassVar[str] = "service.changed"

    service: Service = Field(description="Which service.")
    state: ServiceState = Field(description="Its state now.")
    request_id: UUID | None = Field(default=None, description="The request this is about; null without one.")
    reasons: tuple[Reason, ...] = Field(default=(), description="Why, where something has to be changed.")

    @model_validator(mode="after")
    def _state_belongs_to_the_service(self) -> Self:
        if self.state not in SERVICE_STATES[self.service]:
            raise ValueError(f"{self.service} has no state {self.state}")
        return self
