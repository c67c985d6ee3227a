"""Requests about additional services."""

from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field

from didflow_chassis.decision import Caller
from didflow_chassis.http import Number
from didflow_contracts.bounds import NAME, SAMPLE_MESSAGE, SAMPLE_MESSAGES
from didflow_contracts.ids import uuid7
from didflow_contracts.names import DidName
from didflow_contracts.vocabulary import AdditionalService, ServiceState, Text
from didflow_verification.api.bodies import Reasons, StrictModel
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceData
from didflow_verification.domain.commands import RequestService
from didflow_verification.store import service_requests

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

Line = Annotated[str, Field(max_length=NAME.most)]
Message = Annotated[str, Field(min_length=SAMPLE_MESSAGE.least, max_length=SAMPLE_MESSAGE.most)]

Messages = Annotated[
    tuple[Message, ...], Field(min_length=SAMPLE_MESSAGES.least, max_length=SAMPLE_MESSAGES.most)
]


class _RequestBody(StrictModel):
    did: Annotated[DidName, Field(description="DID id or number.")]

    def command(self, registration: Registration, caller: Caller) -> RequestService:
        """Return the command for the DID."""
        data = self.model_dump(exclude={"did", "service"})
        return RequestService(
            entity_id=registration.did_id,
            subject=registration.number,
            caller=caller,
            request_id=uuid7(),
            service=getattr(self, "service"),  # noqa: B009 - each of the bodies below has this field
            data=ServiceData(**data),
        )


class EmergencyBody(_RequestBody):
    """Emergency calls: the address that help is sent to, and the name of the caller."""

    service: Literal["emergency"]
    address_id: Annotated[
        UUID, Field(description="A civic address of the DID's end user, in the country of the number.")
    ]
    caller_name: Line


class A2pBody(_RequestBody):
    """A2P SMS: the brand, the use case, sample messages, and how recipients agreed to receive them."""

    service: Literal["a2p_sms"]
    brand: Line
    use_case: UseCase
    sample_messages: Messages
    opt_in_text: Text


class CnamBody(_RequestBody):
    """CNAM: the name that the called party sees. Only for numbers of the United States and Canada."""

    service: Literal["cnam"]
    display_name: Annotated[Line, Field(description="At most 15 letters, digits and spaces.")]


Body = Annotated[EmergencyBody | A2pBody | CnamBody, Field(discriminator="service")]


class DecideBody(StrictModel):
    """The next state. `changes_required` and a refused CNAM (`not_configured`) need reasons."""

    state: ServiceState
    reasons: Reasons = Field(default=[])


class RequestsQuery(BaseModel):
    """Filters of the requests. Without `state`, only open requests are listed."""

    service: AdditionalService | None = None
    state: ServiceState | Literal["all"] | None = None
    did_id: UUID | None = None
    number: Number | None = None
    identity_id: UUID | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the requests."""
        for name in ("service", "did_id", "identity_id"):
            if getattr(self, name) is not None:
                yield service_requests.c[name] == getattr(self, name)
        if self.number is not None:
            yield service_requests.c.number == self.number
        if self.state is None:
            yield service_requests.c.state != "not_configured"
        elif self.state != "all":
            yield service_requests.c.state == self.state
