"""The topics as data: who publishes and who reads each one. Cluster topics and access rules are generated from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

from didflow_contracts import events as e
from didflow_contracts.event_data import EventData

INVENTORY: Final = "inventory"
VERIFICATION: Final = "verification"
BILLING: Final = "billing"
PROVISIONING: Final = "provisioning"
SERVICES: Final = (INVENTORY, VERIFICATION, BILLING, PROVISIONING)
ORDER_SYSTEMS: Final = "order-systems"
CARRIER_ADAPTERS: Final = "carrier-adapters"
PORTALS: Final = "portals"
INVOICING: Final = "invoicing-systems"

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {service: f"/didflow/{service}" for service in SERVICES}
    | {ORDER_SYSTEMS: "/orders/", CARRIER_ADAPTERS: "/carriers/", PORTALS: "/portals/"}
)
"""Producer -> its CloudEvents `source`. A value that ends in a slash is a prefix."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: its event, its producers and readers, and its settings in the cluster."""

    name: str
    event: type[EventData]
    producers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 12
    retention: timedelta = timedelta(days=7)
    max_message_bytes: int = 2 * 1024 * 1024

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The allowed CloudEvents sources; one that ends in a slash is a prefix."""
        return tuple(SOURCES[producer] for producer in self.producers)

    @cached_property
    def _below(self) -> tuple[str, ...]:
        return tuple(source if source.endswith("/") else f"{source}/" for source in self.sources)

    def allows(self, source: str) -> bool:
        """Return True if this source may publish on this topic."""
        if source.endswith("/"):
            return False
        return source in self.sources or source.startswith(self._below)


def _topic(event: type[EventData], producers: tuple[str, ...], readers: tuple[str, ...]) -> Topic:
    return Topic(name=event.topic, event=event, producers=producers, readers=readers)


_PURCHASE_PRODUCERS = (ORDER_SYSTEMS, INVENTORY)
_REGISTRATION_READERS = (INVENTORY, BILLING, PROVISIONING)

_TABLE: Final = (
    _topic(e.DidPurchased, _PURCHASE_PRODUCERS, SERVICES),
    _topic(e.DidPortingStarted, _PURCHASE_PRODUCERS, SERVICES),
    _topic(e.DidPortingEnded, _PURCHASE_PRODUCERS, (INVENTORY,)),
    _topic(e.PurchaseRefused, (INVENTORY,), (BILLING, VERIFICATION, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.DidChanged, (INVENTORY,), (VERIFICATION, BILLING, PROVISIONING)),
    _topic(e.DidWithdrawn, (INVENTORY,), (BILLING,)),
    _topic(e.DidStatusChanged, (INVENTORY,), (ORDER_SYSTEMS,)),
    _topic(e.EnduserAssigned, (INVENTORY, PORTALS), (VERIFICATION, INVENTORY)),
    _topic(e.VerificationRequired, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationNotRequired, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationPending, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationApproved, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationRejected, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationExpiring, (VERIFICATION,), (*_REGISTRATION_READERS, ORDER_SYSTEMS)),
    _topic(e.VerificationExpired, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.ServiceChanged, (VERIFICATION,), (INVENTORY,)),
    _topic(e.CarrierCommandIssued, (PROVISIONING,), (CARRIER_ADAPTERS,)),
    _topic(e.ResultReported, (CARRIER_ADAPTERS,), (PROVISIONING, INVENTORY)),
    _topic(e.DidActivated, (PROVISIONING,), (INVENTORY, ORDER_SYSTEMS)),
    _topic(e.RoutingChanged, (PROVISIONING,), (INVENTORY,)),
    _topic(e.TermChanged, (BILLING,), (INVENTORY, PROVISIONING)),
    _topic(e.CycleExpired, (BILLING,), (INVENTORY, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.LedgerPosted, (BILLING,), (INVENTORY, INVOICING)),
    _topic(e.DidRemoved, (BILLING,), (INVENTORY, VERIFICATION, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.MessageRefused, (VERIFICATION, BILLING, PROVISIONING), (INVENTORY,)),
)

TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({topic.name: topic for topic in _TABLE})
"""Topic name -> topic. Source: spec events, Topics."""

DEAD_LETTER_TOPICS: Final[Mapping[str, str]] = MappingProxyType(
    {service: f"{service}.dlq" for service in SERVICES}
)
"""Service -> the topic with copies of its dead letters."""


def topics_read_by(reader: str) -> tuple[Topic, ...]:
    """Return the topics that a service or an outside party reads, in the order of the table."""
    return tuple(topic for topic in _TABLE if reader in topic.readers)


def topics_written_by(producer: str) -> tuple[Topic, ...]:
    """Return the topics that a service or an outside party may publish on, in the order of the table."""
    return tuple(topic for topic in _TABLE if producer in topic.producers)
