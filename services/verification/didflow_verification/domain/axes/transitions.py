"""The closed transition tables of registrations, verifications and service requests.

In each table, None is the start. Source: spec lifecycle, The axes; Additional services.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from didflow_contracts.vocabulary import AdditionalService, ServiceState
from didflow_contracts.vocabulary import Registration as RegistrationState

VerificationStatus = Literal["pending", "approved", "rejected", "superseded", "withdrawn", "revoked"]

ServiceTransitions: TypeAlias = Mapping[ServiceState | None, frozenset[ServiceState]]


class ForbiddenTransitionError(Exception):
    """A decision tried a transition that is not in a closed table. This is a defect of this service."""

    code = "forbidden_transition"


REGISTRATION: Final[Mapping[RegistrationState | None, frozenset[RegistrationState]]] = MappingProxyType(
    {
        None: frozenset({"not_required", "awaiting"}),
        "not_required": frozenset({"awaiting"}),
        "awaiting": frozenset({"pending", "approved", "rejected", "not_required"}),
        "pending": frozenset({"approved", "rejected", "pending", "awaiting"}),
        "approved": frozenset({"expired", "awaiting"}),
        "rejected": frozenset({"pending", "approved", "rejected", "awaiting"}),
        "expired": frozenset({"pending", "approved", "rejected", "awaiting"}),
    }
)
"""The transitions of the registration axis."""

VERIFICATION: Final[Mapping[VerificationStatus | None, frozenset[VerificationStatus]]] = MappingProxyType(
    {
        None: frozenset({"pending", "approved", "rejected"}),
        "pending": frozenset({"approved", "rejected", "superseded", "withdrawn"}),
        "approved": frozenset({"revoked"}),
        "rejected": frozenset(),
        "superseded": frozenset(),
        "withdrawn": frozenset(),
        "revoked": frozenset(),
    }
)
"""The transitions of one verification."""

_REVIEWED: Final[ServiceTransitions] = MappingProxyType(
    {
        None: frozenset({"new"}),
        "new": frozenset({"in_process", "not_configured"}),
        "in_process": frozenset({"active", "changes_required", "not_configured"}),
        "active": frozenset({"in_process", "changes_required", "not_configured"}),
        "changes_required": frozenset({"new", "not_configured"}),
        "not_configured": frozenset(),
    }
)

SERVICE_REQUEST: Final[Mapping[AdditionalService, ServiceTransitions]] = MappingProxyType(
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
"""The transitions of a service request."""

_DECIDED: Final[ServiceTransitions] = MappingProxyType(
    {
        "new": frozenset({"in_process"}),
        "in_process": frozenset({"active", "changes_required"}),
        "active": frozenset({"changes_required"}),
    }
)

SERVICE_DECISIONS: Final[Mapping[AdditionalService, ServiceTransitions]] = MappingProxyType(
    {
        "emergency": _DECIDED,
        "a2p_sms": _DECIDED,
        "cnam": MappingProxyType(
            {
                "pending": frozenset({"active", "not_configured"}),
                "cancelation_pending": frozenset({"not_configured"}),
            }
        ),
    }
)
"""The transitions of a service request that a reviewer or the back office of a carrier may decide."""
