"""What a requester changes after `changes_required`: the request is sent again. Source: spec verification."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.commands import CorrectService
from didflow_verification.domain.events import service_changed
from didflow_verification.domain.service_requests.checks import FIELDS
from didflow_verification.domain.service_requests.end_user_change import with_request
from didflow_verification.domain.service_requests.lifecycle import fault_of, named_request, owned_details


def correct_service(
    registration: Registration | None, command: CorrectService, now: datetime, known: Known
) -> Decision:
    """Send a request again, with changed fields. Fields that the command leaves out stay as they are.

    The request takes the identity that the DID has now, whatever became of the registration: a service becomes active
    only while its identity is in effect. Nor do the features matter, which decide about new requests. The repeat of the
    last correction changes nothing. Source: spec roles, `actions` of a DID.

    Refused `not_found`, `did_ended`, `no_changes_required`, `unknown_field`, and with the codes of `checks`.
    """
    request = named_request(registration, command, known)
    if registration is None or request is None or not command.caller.reaches(registration.account):
        return Refused("not_found", "No such request in your accounts.")
    if registration.ended:
        return Refused("did_ended", f"The DID was {registration.ended}.")
    foreign = next((name for name in command.changes if name not in FIELDS[request.service]), None)
    if foreign is not None:
        return Refused("unknown_field", f"A request for {request.service} has no such field.", foreign)
    data = replace(request.data or ServiceData(), **command.changes)
    if request.state == "new" and data == request.data:
        return Unchanged(answer=request)
    if request.state != "changes_required":
        return Refused("no_changes_required", f"The request is {request.state}. It requires no changes.")
    request = _with_present_identity(request, registration)
    fault = fault_of(registration, request.service, data, request.identity_id, known)
    if fault is not None:
        return fault
    after = request.moved_to(
        "new",
        account=registration.account,
        data=data,
        reasons=(),
        requested_at=now,
        requested_by=command.caller.actor,
    )
    changed = with_request(registration, after)
    return Decided(state=changed, also=(after,), events=(service_changed(after),), answer=after)


def _with_present_identity(request: ServiceRequest, registration: Registration) -> ServiceRequest:
    """Return the request with the identity of the DID. It keeps its own if that one does not serve the holder."""
    details = owned_details(registration)
    if details is None:
        return request
    return replace(
        request,
        identity_id=details.identity_id,
        identity_revision=details.identity_revision,
        identity_account=details.identity_account or registration.account,
    )
