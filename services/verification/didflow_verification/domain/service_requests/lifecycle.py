"""Additional services are requested and canceled by accounts, and decided by reviewers or a carrier's back office."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.events.registration import Reason
from didflow_contracts.names import NO_DID
from didflow_contracts.vocabulary import AdditionalService, DidStock, ServiceState
from didflow_contracts.vocabulary import Registration as RegistrationState
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.axes.transitions import SERVICE_DECISIONS
from didflow_verification.domain.commands import (
    CancelService,
    CorrectService,
    DecideService,
    RequestService,
)
from didflow_verification.domain.details.identity import Address
from didflow_verification.domain.events import service_changed
from didflow_verification.domain.service_requests.checks import fault
from didflow_verification.domain.service_requests.end_user_change import (
    current_request,
    present_address_revision,
    with_request,
)

NO_REGISTRATION: Final = Refused("not_found", NO_DID)
NEEDS_REASONS = frozenset({"changes_required", "not_configured"})
SERVED: Final[frozenset[RegistrationState]] = frozenset(("approved", "pending", "not_required"))
"""The states of the registration in which a service can be requested. Source: spec roles, `actions` of a DID."""

NOT_HERE: Final[frozenset[DidStock | None]] = frozenset(("porting_in", "removed"))
"""The states of the stock in which no service can be requested. Source: spec roles, `actions` of a DID."""


def service_details(registration: Registration) -> Details | None:
    """Return the details that a service of the DID uses: the details in force, unless they were rejected.

    Source: spec lifecycle, Additional services: registration and services use the same identity.
    """
    return owned_details(registration) if registration.state in SERVED else None


def owned_details(registration: Registration) -> Details | None:
    """Return the details in force if their identity serves the holder, whatever became of the registration."""
    force = registration.in_force
    return force if force is not None and force.owned else None


def request_service(
    registration: Registration | None, command: RequestService, now: datetime, known: Known
) -> Decision:
    """Request a service.

    Refused `did_ended`, `wrong_stock_state`, `identity_missing`, `not_supported`, `request_open`, and with the codes of
    `checks`.
    """
    if registration is None or not command.caller.reaches(registration.account):
        return NO_REGISTRATION
    if registration.ended:
        return Refused("did_ended", f"The DID was {registration.ended}.")
    if registration.stock in NOT_HERE:
        message = f"The stock of this DID is {registration.stock}. A service is requested for a number that is here."
        return Refused("wrong_stock_state", message)
    before = current_request(registration, command.service, known)
    if before is not None and before.request_id == command.request_id:
        return Unchanged(answer=before)
    if before is not None:
        what = "Correct it" if before.state == "changes_required" else "Cancel it first"
        return Refused("request_open", f"The service has a request in the state {before.state}. {what}.")
    if registration.features is not None and command.service not in registration.features:
        return Refused("not_supported", "The number does not support this service.", "service")
    details = service_details(registration)
    if details is None:
        return Refused(
            "identity_missing", "Assign end-user details to the DID first. Rejected details do not count."
        )
    fault = fault_of(registration, command.service, command.data, details.identity_id, known)
    if fault is not None:
        return fault
    request = _request(registration, command, details, now)
    after = with_request(registration, request)
    return Decided(state=after, also=(request,), events=(service_changed(request),), answer=request)


def fault_of(
    registration: Registration, service: AdditionalService, data: ServiceData, identity_id: UUID, known: Known
) -> Refused | None:
    """Return why there can be no request with this data for an end user; None if there can."""
    address = known.get(Address, data.address_id) if data.address_id else None
    foreign = address is None or address.identity_id != identity_id
    if data.address_id is not None and foreign:
        return Refused("not_yours", "The address does not belong to the DID's end user.", "address_id")
    return fault(service, data, address, registration.country)


def _request(
    registration: Registration, command: RequestService, details: Details, now: datetime
) -> ServiceRequest:
    return ServiceRequest(
        request_id=command.request_id,
        did_id=registration.did_id,
        number=registration.number,
        account=registration.account,
        service=command.service,
        state="pending" if command.service == "cnam" else "new",
        identity_id=details.identity_id,
        identity_revision=details.identity_revision,
        identity_account=details.identity_account or registration.account,
        data=command.data,
        requested_at=now,
        requested_by=command.caller.actor,
    )


def decide_service(
    registration: Registration | None, command: DecideService, now: datetime, known: Known
) -> Decision:
    """Move a request to another state.

    Refused `not_found`, `already_decided`, `reasons_missing`, `own_submission`, and `identity_missing` if the service
    would become active and its identity is not in effect.
    """
    request = named_request(registration, command, known)
    if registration is None or request is None or not command.caller.reaches(request.account):
        return Refused("not_found", "No such request in your accounts.")
    if request.state == command.state:
        return Unchanged(answer=request)
    if command.state not in SERVICE_DECISIONS[request.service].get(request.state, frozenset()):
        return Refused(
            "already_decided",
            f"A request for {request.service} in the state {request.state} cannot become {command.state}.",
            "state",
        )
    if request.requested_by == command.caller.actor:
        return Refused("own_submission", "You made this request. Somebody else has to decide it.")
    if command.state == "active" and not _has_identity(registration, request):
        return Refused("identity_missing", "The identity of this request is not in effect on the DID.")
    needs_reasons = request.state != "cancelation_pending" and command.state in NEEDS_REASONS
    if needs_reasons and not command.reasons:
        return Refused("reasons_missing", "Give at least one coded reason.", "reasons")
    reasons = command.reasons if needs_reasons else ()
    decided = replace(request, address_revision=present_address_revision(request, known))
    return _moved(registration, decided, command.state, now, actor=command.caller.actor, reasons=reasons)


def _has_identity(registration: Registration, request: ServiceRequest) -> bool:
    """Return True if the identity of the request is in effect, so that a service may rely on it."""
    details = registration.in_effect
    return details is not None and details.identity_id == request.identity_id


def cancel_service(
    registration: Registration | None, command: CancelService, now: datetime, known: Known
) -> Decision:
    """Cancel. An active CNAM is first removed by the carrier. Everything else is closed at once."""
    request = named_request(registration, command, known)
    if registration is None or request is None or not command.caller.reaches(registration.account):
        return Refused("not_found", "No such request in your accounts.")
    if request.state in {"not_configured", "cancelation_pending"}:
        return Unchanged(answer=request)
    at_carrier = request.service == "cnam" and request.state == "active"
    state: ServiceState = "cancelation_pending" if at_carrier else "not_configured"
    return _moved(registration, request, state, now, actor=command.caller.actor)


def named_request(
    registration: Registration | None, command: DecideService | CancelService | CorrectService, known: Known
) -> ServiceRequest | None:
    """Return the request that a command names, if it is one of this DID."""
    request = known.get(ServiceRequest, command.request_id)
    return request if registration and request and request.did_id == registration.did_id else None


def _moved(
    registration: Registration,
    request: ServiceRequest,
    state: ServiceState,
    now: datetime,
    *,
    actor: str,
    reasons: tuple[Reason, ...] = (),
) -> Decision:
    after = request.moved_to(state, decided_at=now, decided_by=actor, reasons=reasons)
    events = () if registration.ended else (service_changed(after),)
    return Decided(state=with_request(registration, after), also=(after,), events=events, answer=after)
