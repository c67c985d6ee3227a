"""The topics as data: who says what and who hears it. Cluster topics and access rules are made from this."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

from didflow_contracts import events as e
from didflow_contracts.event import EventData

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
"""Who says it -> what its CloudEvents `source` is (ending in a slash: what it begins with)."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: the event on it, who may say it, who hears it, and how the cluster keeps it."""

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
        """Say whether this source may speak on this topic."""
        if source.endswith("/"):
            return False
        return source in self.sources or source.startswith(self._below)


def _topic(event: type[EventData], said_by: tuple[str, ...], heard_by: tuple[str, ...]) -> Topic:
    return Topic(name=event.topic, event=event, producers=said_by, readers=heard_by)


_ORDERS = (ORDER_SYSTEMS, INVENTORY)
_REGISTRATION_HEARD = (INVENTORY, BILLING, PROVISIONING)

_TABLE: Final = (
    _topic(e.DidPurchased, _ORDERS, SERVICES),
    _topic(e.DidPortingStarted, _ORDERS, SERVICES),
    _topic(e.DidPortingEnded, _ORDERS, (INVENTORY,)),
    _topic(e.PurchaseRefused, (INVENTORY,), (BILLING, VERIFICATION, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.DidChanged, (INVENTORY,), (VERIFICATION, BILLING, PROVISIONING)),
    _topic(e.DidWithdrawn, (INVENTORY,), (BILLING,)),
    _topic(e.DidStatusChanged, (INVENTORY,), (ORDER_SYSTEMS,)),
    _topic(e.EnduserAssigned, (INVENTORY, PORTALS), (VERIFICATION, INVENTORY)),
    _topic(e.VerificationRequired, (VERIFICATION,), _REGISTRATION_HEARD),
    _topic(e.VerificationNotRequired, (VERIFICATION,), _REGISTRATION_HEARD),
    _topic(e.VerificationPending, (VERIFICATION,), _REGISTRATION_HEARD),
    _topic(e.VerificationApproved, (VERIFICATION,), _REGISTRATION_HEARD),
    _topic(e.VerificationRejected, (VERIFICATION,), _REGISTRATION_HEARD),
    _topic(e.VerificationExpiring, (VERIFICATION,), (*_REGISTRATION_HEARD, ORDER_SYSTEMS)),
    _topic(e.VerificationExpired, (VERIFICATION,), _REGISTRATION_HEARD),
    _topic(e.ServiceChanged, (VERIFICATION,), (INVENTORY,)),
    _topic(e.CommandIssued, (PROVISIONING,), (CARRIER_ADAPTERS,)),
    _topic(e.ResultReported, (CARRIER_ADAPTERS,), (PROVISIONING, INVENTORY)),
    _topic(e.DidActivated, (PROVISIONING,), (INVENTORY, ORDER_SYSTEMS)),
    _topic(e.RoutingChanged, (PROVISIONING,), (INVENTORY,)),
    _topic(e.TermChanged, (BILLING,), (INVENTORY, PROVISIONING)),
    _topic(e.CycleExpired, (BILLING,), (INVENTORY, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.LedgerPosted, (BILLING,), (INVENTORY, INVOICING)),
    _topic(e.DidRemoved, (BILLING,), (INVENTORY, VERIFICATION, PROVISIONING, ORDER_SYSTEMS)),
)

TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({topic.name: topic for topic in _TABLE})
"""Every event topic by its name. Source: spec events, Topics."""

DEAD_LETTER_TOPICS: Final[Mapping[str, str]] = MappingProxyType(
    {service: f"{service}.dlq" for service in SERVICES}
)
"""Service -> the topic that its dead letters are copied to."""


def topics_read_by(reader: str) -> tuple[Topic, ...]:
    """List the topics that a service or an outside party reads, in the table's order."""
    return tuple(topic for topic in _TABLE if reader in topic.readers)


def topics_written_by(producer: str) -> tuple[Topic, ...]:
    """List the topics that a service or an outside party may write, in the table's order."""
    return tuple(topic for topic in _TABLE if producer in topic.producers)
