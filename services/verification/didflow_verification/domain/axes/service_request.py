"""A request for an additional service of a DID: Emergency, A2P SMS or CNAM; its states and its own data.

At most one of a service is open for a DID. What it states is gone as soon as it is closed.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.events import ServiceChanged
from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.forbidden import ForbiddenTransitionError

Ways = Mapping[ServiceState | None, frozenset[ServiceState]]

_REVIEWED: Final[Ways] = MappingProxyType(
    {
        None: frozenset({"new"}),
        "new": frozenset({"in_process", "not_configured"}),
        "in_process": frozenset({"active", "changes_required", "not_configured"}),
        "active": frozenset({"in_process", "changes_required", "not_configured"}),
        "changes_required": frozenset({"new", "not_configured"}),
        "not_configured": frozenset(),
    }
)

TRANSITIONS: Final[Mapping[AdditionalService, Ways]] = MappingProxyType(
    {
        "emergency": _REVIEWED,
        "a2p_sms": _REVIEWED,
        "cnam": MappingProxyType(
            {
                None: frozenset({"pending"}),
                "pending": frozenset({"active", "not_configured"}),
                "active": frozenset({"pending", "cancelation_pending", "not_configured"}),
                "cancelation_pending": frozenset({"not_configured"}),
                "not_configured": frozenset(),
            }
        ),
    }
)
"""Where a request may go; None is before it was made. Source: spec lifecycle, Additional services."""

_BY_REVIEWERS: Final[Ways] = MappingProxyType(
    {
        "new": frozenset({"in_process"}),
        "in_process": frozenset({"active", "changes_required"}),
        "active": frozenset({"changes_required"}),
    }
)

DECIDED: Final[Mapping[AdditionalService, Ways]] = MappingProxyType(
    {
        "emergency": _BY_REVIEWERS,
        "a2p_sms": _BY_REVIEWERS,
        "cnam": MappingProxyType(
            {
                "pending": frozenset({"active", "not_configured"}),
                "cancelation_pending": frozenset({"not_configured"}),
            }
        ),
    }
)
"""The ways of it that a reviewer or a carrier's back office decides."""


class ServiceData(Struct, frozen=True, kw_only=True):
    """What a request states; which of it is needed is the service's (see `service_checks`)."""

    address_id: UUID | None = None
    caller_name: str | None = None
    brand: str | None = None
    use_case: str | None = None
    sample_messages: tuple[str, ...] = ()
    opt_in_text: str | None = None
    display_name: str | None = None


class ServiceRequest(Struct, frozen=True, kw_only=True):
    """One request. `account` held the DID when it was made, or since; the identity is the DID's.

    `data` is None once the request is closed. `decided_by` is who moved it last.
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
    reasons: tuple[Reason, ...] = ()
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the service is requested, active, or being canceled."""
        return self.state != "not_configured"


def moved(request: ServiceRequest, state: ServiceState, **changes: Any) -> ServiceRequest:
    """Return the request in another state, its data gone where that closes it. Raises ForbiddenTransitionError."""
    if state not in TRANSITIONS[request.service][request.state]:
        raise ForbiddenTransitionError(f"{request.service} {request.state} -> {state}")
    if state == "not_configured":
        changes["data"] = None
    return replace(request, state=state, **changes)


def told(request: ServiceRequest) -> ServiceChanged:
    """Build the event that tells the state of the service. It never says what the request states."""
    return ServiceChanged(
        did_id=request.did_id,
        number=request.number,
        account=request.account,
        service=request.service,
        state=request.state,
        request_id=request.request_id,
        reasons=request.reasons,
    )
