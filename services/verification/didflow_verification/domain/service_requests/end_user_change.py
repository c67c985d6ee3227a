"""How a DID's additional services follow its end user: when the end user changes or leaves, and when the DID ends.

Source: spec lifecycle, Additional services; Stock and holders.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Known
from didflow_contracts.accounts import is_within
from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.details.identity import Address
from didflow_verification.domain.evaluation.findings import LAPSE_MESSAGES
from didflow_verification.domain.events import service_changed

REVOKED: Final = Reason(code="revoked", message=LAPSE_MESSAGES["revoked"])
"""The reason of a service that stops because the approval of its identity was revoked."""


def current_request(
    registration: Registration, service: AdditionalService, known: Known
) -> ServiceRequest | None:
    """Return the open request of a service, or None."""
    identifier = registration.services.get(service)
    return known.get(ServiceRequest, identifier) if identifier else None


def present_address_revision(request: ServiceRequest, known: Known) -> int | None:
    """Return the revision that the address of a request has now, or None without an address."""
    address = known.get(Address, request.address_id) if request.address_id else None
    return address.revision if address else None


def with_request(registration: Registration, request: ServiceRequest) -> Registration:
    """Return the registration with the request among its open requests, or without it if it is closed."""
    others = {name: key for name, key in registration.services.items() if name != request.service}
    return replace(
        registration, services=others | ({request.service: request.request_id} if request.is_open else {})
    )


def with_services(step: Step, known: Known) -> Step:
    """Let the open services follow the registration.

    If the end user left the DID, they are closed. If another identity is in effect, or has replaced theirs on a DID
    without approved details, active ones are processed again.
    """
    registration = step.registration
    for request in _open_requests(registration, known):
        after = _followed(request, registration)
        if after == request:
            continue
        registration = with_request(registration, after)
        events = (service_changed(after),) if after.state != request.state else ()
        step = step.then(registration, *events, requests=(after,))
    return step


def with_changed_addresses(step: Step, known: Known) -> Step:
    """Return active services to processing if their address has changed. Help must not be sent to the old address."""
    for request in _open_requests(step.registration, known):
        if request.state != "active" or present_address_revision(request, known) == request.address_revision:
            continue
        after = request.moved_to("in_process", reasons=())
        step = step.then(with_request(step.registration, after), service_changed(after), requests=(after,))
    return step


def with_revoked_identity(step: Step, known: Known, identity_id: UUID) -> Step:
    """Stop active services with an identity whose registration was revoked, with the reason `revoked`.

    Emergency and A2P SMS require changes, CNAM waits for a decision again. Source: spec verification, Verifications.
    """
    for request in _open_requests(step.registration, known):
        if request.state != "active" or request.identity_id != identity_id:
            continue
        state: ServiceState = "pending" if request.service == "cnam" else "changes_required"
        after = request.moved_to(state, reasons=(REVOKED,))
        step = step.then(with_request(step.registration, after), service_changed(after), requests=(after,))
    return step


def with_ended_services(step: Step, known: Known) -> Step:
    """Close the open services of a DID that ends, each with an event. Source: spec verification, Service requests."""
    for request in _open_requests(step.registration, known):
        after = request.moved_to("not_configured", reasons=())
        step = step.then(with_request(step.registration, after), service_changed(after), requests=(after,))
    return step


def _open_requests(registration: Registration, known: Known) -> Iterator[ServiceRequest]:
    for key in registration.services.values():
        request = known.get(ServiceRequest, key)
        if request is not None:
            yield request


def _followed_details(request: ServiceRequest, registration: Registration) -> Details | None:
    """Return the details in effect. If there are none, return details that replaced those of the request on the DID.

    No service relies on an identity that is no longer on the DID. Source: spec lifecycle, Additional services.
    """
    assigned = registration.assigned
    if registration.in_effect is not None or assigned is None:
        return registration.in_effect
    return assigned if assigned.owned and assigned.identity_id != request.identity_id else None


def _followed(request: ServiceRequest, registration: Registration) -> ServiceRequest:
    if not is_within(registration.account, request.identity_account):
        return request.moved_to("not_configured", reasons=(), account=registration.account)
    request = replace(request, account=registration.account)
    details = _followed_details(request, registration)
    if details is None:
        return request
    in_effect = (details.identity_id, details.identity_revision)
    if in_effect == (request.identity_id, request.identity_revision):
        return request
    updated = replace(
        request,
        identity_id=details.identity_id,
        identity_revision=details.identity_revision,
        identity_account=details.identity_account or request.identity_account,
    )
    if request.state != "active":
        return updated
    again: ServiceState = "pending" if request.service == "cnam" else "in_process"
    return updated.moved_to(again, reasons=())
