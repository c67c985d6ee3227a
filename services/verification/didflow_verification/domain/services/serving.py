"""What becomes of a DID's additional services when its end user changes, leaves, or its life ends.

Source: spec lifecycle, Additional services; Stock and holders.
"""

from collections.abc import Iterator
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Known
from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceRequest, moved, told
from didflow_verification.domain.axes.step import Step


def request_ids(registration: Registration | None) -> tuple[UUID, ...]:
    """Return the ids of the open requests of a DID."""
    return tuple(registration.services.values()) if registration else ()


def current_request(
    registration: Registration, service: AdditionalService, known: Known
) -> ServiceRequest | None:
    """Return the open request of a service, or None."""
    identifier = registration.services.get(service)
    return known.get(ServiceRequest, identifier) if identifier else None


def with_request(registration: Registration, request: ServiceRequest) -> Registration:
    """Return the registration with the request among its open ones, or not where it is closed."""
    others = {name: key for name, key in registration.services.items() if name != request.service}
    return replace(
        registration, services=others | ({request.service: request.request_id} if request.is_open else {})
    )


def served(step: Step, known: Known) -> Step:
    """Let the open services follow the registration: closed with its end user's leaving, back with a new one."""
    registration = step.registration
    for request in _open(registration, known):
        after = _followed(request, registration)
        if after == request:
            continue
        registration = with_request(registration, after)
        events = (told(after),) if after.state != request.state else ()
        step = step.then(registration, *events, others=(after,))
    return step


def moved_house(step: Step, address_ids: tuple[UUID, ...], known: Known) -> Step:
    """Send back what is active at an address that was changed: help would be sent to where nobody is."""
    for request in _open(step.registration, known):
        data = request.data
        if request.state != "active" or data is None or data.address_id not in address_ids:
            continue
        after = moved(request, "in_process", reasons=())
        step = step.then(with_request(step.registration, after), told(after), others=(after,))
    return step


def closed(registration: Registration, known: Known) -> tuple[ServiceRequest, ...]:
    """Return the open requests of a DID whose life ends, closed."""
    return tuple(moved(request, "not_configured") for request in _open(registration, known))


def _open(registration: Registration, known: Known) -> Iterator[ServiceRequest]:
    for key in request_ids(registration):
        request = known.get(ServiceRequest, key)
        if request is not None:
            yield request


def _followed(request: ServiceRequest, registration: Registration) -> ServiceRequest:
    if not is_within(registration.account, request.identity_account):
        return moved(request, "not_configured", reasons=(), account=registration.account)
    request = replace(request, account=registration.account)
    details = in_effect(registration)
    if details is None:
        return request
    mine = (details.identity_id, details.identity_revision)
    if mine == (request.identity_id, request.identity_revision):
        return request
    taken = replace(
        request,
        identity_id=details.identity_id,
        identity_revision=details.identity_revision,
        identity_account=details.identity_account or request.identity_account,
    )
    if request.state != "active":
        return taken
    back: ServiceState = "pending" if request.service == "cnam" else "in_process"
    return moved(taken, back, reasons=())


def in_effect(registration: Registration) -> Details | None:
    """Return the details that are in effect: the approved ones, or those kept where none are asked for."""
    if registration.state == "not_required":
        return registration.assigned
    return registration.approved
