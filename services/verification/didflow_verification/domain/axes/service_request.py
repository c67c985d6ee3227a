"""A request for an additional service of a DID (Emergency, A2P SMS or CNAM): its state and its own data.

A DID has at most one open request for each service. When a request is closed, its data is deleted.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.transitions import SERVICE_REQUEST, ForbiddenTransitionError


class ServiceData(Struct, frozen=True, kw_only=True):
    """The data of a request. Which fields are required depends on the service (see `service_requests.checks`)."""

    address_id: UUID | None = None
    caller_name: str | None = None
    brand: str | None = None
    use_case: str | None = None
    sample_messages: tuple[str, ...] = ()
    opt_in_text: str | None = None
    display_name: str | None = None


class ServiceRequest(Struct, frozen=True, kw_only=True):
    """One request for an additional service.

    `account` is the holder of the DID. The identity is the identity of the DID. `data` is None after the request was
    closed. `address_revision` is the revision of its address, if it has one, by which it was decided last.
    `requested_by` and `decided_by` are actors; `decided_by` is who changed the state last.
    """

    request_id: UUID
    did_id: UUID
    number: str
    account: str
    service: AdditionalService
    state: ServiceState
    identity_id: UUID
    identity_revision: int | None
    identity_account: str
    data: ServiceData | None
    address_revision: int | None = None
    reasons: tuple[Reason, ...] = ()
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None

    @property
    def address_id(self) -> UUID | None:
        """Return the address of the request, or None."""
        return self.data.address_id if self.data else None

    @property
    def is_open(self) -> bool:
        """Return True if the service is requested, active, or being canceled."""
        return self.state != "not_configured"

    def moved_to(self, state: ServiceState, **changes: Any) -> "ServiceRequest":
        """Return the request in another state. Closing deletes its data. Raises ForbiddenTransitionError."""
        if state not in SERVICE_REQUEST[self.service][self.state]:
            raise ForbiddenTransitionError(f"{self.service} {self.state} -> {state}")
        if state == "not_configured":
            changes["data"] = None
        return replace(self, state=state, **changes)
