"""Requests about additional services."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field

from didflow_chassis.decision import Caller
from didflow_chassis.http import NamedEntity, Number, Personal
from didflow_contracts.bounds import NAME, SAMPLE_MESSAGE, SAMPLE_MESSAGES
from didflow_contracts.ids import uuid7
from didflow_contracts.names import DidName, DidNames
from didflow_contracts.vocabulary import AdditionalService, ServiceState, Text
from didflow_verification.api.bodies import Reasons, StrictModel
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


class _Data(StrictModel):
    """The part of a request that describes the service."""

    def command(self, entity: NamedEntity, caller: Caller) -> RequestService:
        """Return the command for a DID."""
        data = self.model_dump(exclude={"did", "dids", "service"})
        return RequestService(
            entity_id=entity.entity_id,
            subject=entity.subject,
            caller=caller,
            request_id=uuid7(),
            service=getattr(self, "service"),  # noqa: B009 - each of the bodies below has this field
            data=ServiceData(**data),
        )


class _One(StrictModel):
    did: Annotated[DidName, Field(description="DID id or number.")]


class _Many(StrictModel):
    dids: DidNames = Field(description="1 to 1,000 DID ids or numbers.")


class _Emergency(_Data):
    service: Literal["emergency"]
    address_id: Annotated[
        UUID, Field(description="A civic address of the DID's end user, in the country of the number.")
    ]
    caller_name: Annotated[Line, Personal]


class _A2p(_Data):
    service: Literal["a2p_sms"]
    brand: Annotated[Line, Personal]
    use_case: UseCase
    sample_messages: Annotated[Messages, Personal]
    opt_in_text: Annotated[Text, Personal]


class _Cnam(_Data):
    service: Literal["cnam"]
    display_name: Annotated[Line, Personal] = Field(description="At most 15 letters, digits and spaces.")


class EmergencyBody(_Emergency, _One):
    """Emergency calls: the address that help is sent to, and the name of the caller."""


class A2pBody(_A2p, _One):
    """A2P SMS: the brand, the use case, sample messages, and how recipients agreed to receive them."""


class CnamBody(_Cnam, _One):
    """CNAM: the name that the called party sees. Only for numbers of the United States and Canada."""


class EmergencyBatchBody(_Emergency, _Many):
    """Emergency calls of several DIDs of one end user, with the same address and name of the caller."""


class A2pBatchBody(_A2p, _Many):
    """A2P SMS of several DIDs, with the same data."""


class CnamBatchBody(_Cnam, _Many):
    """CNAM of several DIDs, with the same name."""


Body = Annotated[EmergencyBody | A2pBody | CnamBody, Field(discriminator="service")]
BatchBody = Annotated[EmergencyBatchBody | A2pBatchBody | CnamBatchBody, Field(discriminator="service")]


class CorrectBody(StrictModel):
    """The corrected data of a request, or only the fields that change. Null clears a field."""

    address_id: UUID | None = None
    caller_name: Annotated[Line | None, Personal] = None
    brand: Annotated[Line | None, Personal] = None
    use_case: UseCase | None = None
    sample_messages: Annotated[Messages, Personal] = ()
    opt_in_text: Annotated[Text | None, Personal] = None

    def changes(self) -> Mapping[str, Any]:
        """Return the fields that the body has, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


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
