"""What callers send about additional services."""

from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from didflow_chassis.decision import Caller
from didflow_chassis.http import parse_name
from didflow_contracts.ids import uuid7
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.api.listing import Listing, Number, Strict
from didflow_verification.api.reasons import ReasonBody
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceData
from didflow_verification.domain.services.commands import RequestService
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

Line = Annotated[str, Field(max_length=200)]
Message = Annotated[str, Field(min_length=1, max_length=1600)]


class _Wanted(Strict):
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


class DecideBody(Strict):
    """The next state; `changes_required` and a refused CNAM (`not_configured`) need reasons."""

    state: ServiceState
    reasons: list[ReasonBody] = Field(default=[], max_length=50)


class RequestsQuery(Listing):
    """Which requests to list; the open ones where nothing is asked for."""

    service: AdditionalService | None = None
    state: ServiceState | Literal["all"] | None = None
    did_id: UUID | None = None
    number: Number | None = None
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
