"""The events of version 1, one model for each topic. `EVENT_TYPES` maps a CloudEvents type to its model."""

from collections.abc import Mapping
from types import MappingProxyType

from didflow_contracts.event_data import EventData
from didflow_contracts.events.carrier import CarrierCommandIssued, ResultReported
from didflow_contracts.events.holding import DidChanged, DidStatusChanged, DidWithdrawn
from didflow_contracts.events.purchase import (
    DidPortingEnded,
    DidPortingStarted,
    DidPurchased,
    PurchaseRefused,
)
from didflow_contracts.events.refusal import MessageRefused
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
from didflow_contracts.events.term import CycleExpired, DidRemoved, LedgerPosted, TermChanged, TermExpiring

__all__ = [
    "EVENTS",
    "EVENT_TYPES",
    "CarrierCommandIssued",
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
    "MessageRefused",
    "PurchaseRefused",
    "ResultReported",
    "RoutingChanged",
    "ServiceChanged",
    "TermChanged",
    "TermExpiring",
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
    CarrierCommandIssued,
    ResultReported,
    DidActivated,
    RoutingChanged,
    TermChanged,
    CycleExpired,
    TermExpiring,
    LedgerPosted,
    DidRemoved,
    MessageRefused,
)
"""All models, in the order in which a DID meets them."""

EVENT_TYPES: Mapping[str, type[EventData]] = MappingProxyType({event.type(): event for event in EVENTS})
"""CloudEvents type -> model."""
