"""Additional services are requested, canceled, and decided by reviewers or a carrier's back office."""

from datetime import datetime

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.vocabulary import ServiceState
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import DECIDED, ServiceRequest, moved, told
from didflow_verification.domain.details.identity import Address
from didflow_verification.domain.services.checks import fault
from didflow_verification.domain.services.commands import CancelService, DecideService, RequestService
from didflow_verification.domain.services.serving import current_request, with_request

WITH_REASONS = frozenset({"changes_required", "not_configured"})


def identity_on(registration: Registration) -> Details | None:
    """Return the details whose identity a service of the DID is for: those in force, unless they are refused.

    Source: spec lifecycle, Additional services: registration and services use the same identity.
    """
    force = registration.in_force
    if force is None or not force.owned or registration.state not in {"approved", "pending", "not_required"}:
        return None
    return force


def request_service(
    registration: Registration | None, command: RequestService, now: datetime, known: Known
) -> Decision:
    """Request a service, or answer what had to be changed in its request.

    Refused `did_ended`, `identity_missing`, `not_supported`, `request_open`, and the codes of its checks.
    """
    if registration is None:
        return Refused("not_found", "no such DID")
    if registration.ended:
        return Refused("did_ended", f"the DID was {registration.ended}")
    before = current_request(registration, command.service, known)
    if before is not None and before.request_id == command.request_id:
        return Unchanged(answer=before)
    details = identity_on(registration)
    refused = _unready(registration, command, before, details) or _wrong(
        registration, command, details, known
    )
    if refused is not None or details is None:
        return refused or Refused("identity_missing")
    made = _made(registration, command, details, before, now)
    after = with_request(registration, made)
    return Decided(state=after, also=(made,), events=(told(made),), answer=made)


def _unready(
    registration: Registration,
    command: RequestService,
    before: ServiceRequest | None,
    details: Details | None,
) -> Refused | None:
    if registration.features is not None and command.service not in registration.features:
        return Refused("not_supported", "the number cannot do this", "service")
    if before is not None and before.state != "changes_required":
        return Refused("request_open", f"this service is {before.state} already")
    if details is None:
        return Refused(
            "identity_missing", "assign an end user first; its details must not have been rejected"
        )
    return None


def _wrong(
    registration: Registration, command: RequestService, details: Details | None, known: Known
) -> Refused | None:
    address_id = command.data.address_id
    address = known.get(Address, address_id) if address_id else None
    foreign = address is None or details is None or address.identity_id != details.identity_id
    if address_id is not None and foreign:
        return Refused("not_yours", "this address is not the end user's", "address_id")
    return fault(command.service, command.data, address, registration.country)


def _made(
    registration: Registration,
    command: RequestService,
    details: Details,
    before: ServiceRequest | None,
    now: datetime,
) -> ServiceRequest:
    by = command.caller.subject
    if before is not None:
        again = {"data": command.data, "reasons": (), "requested_at": now, "requested_by": by}
        return moved(before, "new", **again, account=registration.account)
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
        requested_by=by,
    )


def decide_service(
    registration: Registration | None, command: DecideService, now: datetime, known: Known
) -> Decision:
    """Move a request on. Refused `already_decided` against its table, `reasons_missing`, `own_submission`."""
    request = _asked(registration, command, known)
    if registration is None or request is None:
        return Refused("not_found", "no such request")
    if request.state == command.state:
        return Unchanged(answer=request)
    if command.state not in DECIDED[request.service].get(request.state, frozenset()):
        return Refused(
            "already_decided", f"{request.service}: {request.state} cannot become {command.state}", "state"
        )
    if request.requested_by == command.caller.subject:
        return Refused("own_submission", "somebody else has to decide what you requested")
    refused = request.state != "cancelation_pending" and command.state in WITH_REASONS
    if refused and not command.reasons:
        return Refused("reasons_missing", "this needs at least one coded reason", "reasons")
    reasons = command.reasons if refused else ()
    return _on(registration, request, command.state, now, by=command.caller.subject, reasons=reasons)


def cancel_service(
    registration: Registration | None, command: CancelService, now: datetime, known: Known
) -> Decision:
    """Cancel: an active CNAM is taken down by the carrier first, all else is closed at once."""
    request = _asked(registration, command, known)
    if registration is None or request is None:
        return Refused("not_found", "no such request")
    if request.state in {"not_configured", "cancelation_pending"}:
        return Unchanged(answer=request)
    going = request.service == "cnam" and request.state == "active"
    state: ServiceState = "cancelation_pending" if going else "not_configured"
    return _on(registration, request, state, now, by=command.caller.subject, reasons=())


def _asked(
    registration: Registration | None, command: DecideService | CancelService, known: Known
) -> ServiceRequest | None:
    request = known.get(ServiceRequest, command.request_id)
    return request if registration and request and request.did_id == registration.did_id else None


def _on(
    registration: Registration, request: ServiceRequest, state: ServiceState, now: datetime, **changes: object
) -> Decision:
    by, reasons = changes["by"], changes["reasons"]
    after = moved(request, state, decided_at=now, decided_by=by, reasons=reasons)
    events = () if registration.ended else (told(after),)
    return Decided(state=with_request(registration, after), also=(after,), events=events, answer=after)
