"""Every event of version 1, one model for each topic. `EVENT_TYPES` finds a model by its CloudEvents type."""

from collections.abc import Mapping
from types import MappingProxyType

from didflow_contracts.event import EventData
from didflow_contracts.events.carrier import CommandIssued, ResultReported
from didflow_contracts.events.holding import DidChanged, DidStatusChanged, DidWithdrawn
from didflow_contracts.events.purchase import (
    DidPortingEnded,
    DidPortingStarted,
    DidPurchased,
    PurchaseRefused,
)
from didflow_contracts.events.registration import (
    EnduserAssigned,
    VerificationApproved,
    VerificationExpired,
    VerificationExpiring,
    VerificationNotRequired,
    VerificationPending,
    VerificationRejected,
    VerificationRequired,
)
from didflow_contracts.events.routing import DidActivated, RoutingChanged
from didflow_contracts.events.services import ServiceChanged
from didflow_contracts.events.term import CycleExpired, DidRemoved, LedgerPosted, TermChanged

__all__ = [
    "EVENTS",
    "EVENT_TYPES",
    "CommandIssued",
    "CycleExpired",
    "DidActivated",
    "DidChanged",
    "DidPortingEnded",
    "DidPortingStarted",
    "DidPurchased",
    "DidRemoved",
    "DidStatusChanged",
    "DidWithdrawn",
    "EnduserAssigned",
    "LedgerPosted",
    "PurchaseRefused",
    "ResultReported",
    "RoutingChanged",
    "ServiceChanged",
    "TermChanged",
    "VerificationApproved",
    "VerificationExpired",
    "VerificationExpiring",
    "VerificationNotRequired",
    "VerificationPending",
    "VerificationRejected",
    "VerificationRequired",
]

EVENTS: tuple[type[EventData], ...] = (
    DidPurchased,
    DidPortingStarted,
    DidPortingEnded,
    PurchaseRefused,
    DidChanged,
    DidWithdrawn,
    DidStatusChanged,
    EnduserAssigned,
    VerificationRequired,
    VerificationNotRequired,
    VerificationPending,
    VerificationApproved,
    VerificationRejected,
    VerificationExpiring,
    VerificationExpired,
    ServiceChanged,
    CommandIssued,
    ResultReported,
    DidActivated,
    RoutingChanged,
    TermChanged,
    CycleExpired,
    LedgerPosted,
    DidRemoved,
)
"""All models, in the order of a DID's life."""

EVENT_TYPES: Mapping[str, type[EventData]] = MappingProxyType({event.type(): event for event in EVENTS})
"""CloudEvents type -> model."""
