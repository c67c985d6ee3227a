"""The events that verification publishes, built from its states. No event contains personal data."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from didflow_contracts.areas import area_name
from didflow_contracts.events import (
    ServiceChanged,
    VerificationApproved,
    VerificationExpired,
    VerificationNotRequired,
    VerificationPending,
    VerificationRejected,
    VerificationRequired,
)
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.vocabulary import Registration as RegistrationState
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.published_reasons import published_findings, published_reasons

EVENT_OF: Final[Mapping[RegistrationState, type[RegistrationAxis]]] = MappingProxyType(
    {
        "not_required": VerificationNotRequired,
        "awaiting": VerificationRequired,
        "pending": VerificationPending,
        "approved": VerificationApproved,
        "rejected": VerificationRejected,
        "expired": VerificationExpired,
    }
)
"""The event that first publishes each state."""


def registration_event(
    registration: Registration,
    event: type[RegistrationAxis],
    about: Details | None = None,
    **more: object,
) -> RegistrationAxis:
    """Return an event with the whole axis. `about` are the details whose verification the event reports, if any.

    `more` are the fields that only this event has. Source: spec events, Topics: `registration` is the truth for
    consumers, whatever the name of the topic.
    """
    if about is not None and issubclass(event, VerificationApproved):
        more = {"automatic": about.automatic, "rests_on": about.rests_on}
    return event(**_whole(registration, about) | more)


def service_changed(request: ServiceRequest) -> ServiceChanged:
    """Return the event with the state of a service. It never contains the data of the request."""
    return ServiceChanged(
        did_id=request.did_id,
        number=request.number,
        account=request.account,
        service=request.service,
        state=request.state,
        request_id=request.request_id,
        reasons=published_reasons(request.reasons),
    )


def _whole(registration: Registration, about: Details | None) -> dict[str, Any]:
    force, judged = registration.in_force, about or registration.in_force
    requirement, version = registration.requirement, registration.requirement_version
    if judged and judged.requirement and judged.requirement_version:
        requirement, version = judged.requirement, judged.requirement_version
    return {
        "did_id": registration.did_id,
        "number": registration.number,
        "account": registration.account,
        "registration": registration.state,
        "area": area_name(registration.number),
        "requirement": requirement,
        "requirement_version": version,
        "reference": judged.reference if judged else None,
        "identity_id": force.identity_id if force else None,
        "address_id": force.address_id if force else None,
        "verification_id": judged.verification_id if judged else None,
        "attempt": judged.attempt if judged else None,
        "valid_until": _valid_until(registration),
        "grace_until": registration.grace_until,
        "reasons": published_findings(registration.reasons),
    }


def _valid_until(registration: Registration) -> datetime | None:
    """Return the known end of the approval: the end of its documents or of its requirement, whichever is first."""
    if registration.approved is None:
        return None
    lapse = registration.lapse if registration.state == "approved" else None
    return lapse.at if lapse else registration.approved.valid_until
