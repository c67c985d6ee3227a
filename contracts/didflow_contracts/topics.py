"""The topics as data: who publishes and who reads each one. Cluster topics and access rules are generated from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Final

from didflow_contracts import events as e
from didflow_contracts.cloudevents import OUR_SOURCES
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

COMPRESSION: Final = "uncompressed"
"""`compression.type` of every topic: the broker decompresses what a producer has compressed, before it stores it.

Then `max.message.bytes` counts what a reader gets. Otherwise it counts the compressed size, and a record of 50 kB can
fill gigabytes of a reader's memory. didflow's own producers do not compress.
"""

OUTSIDERS: Final = (ORDER_SYSTEMS, PORTALS, CARRIER_ADAPTERS)
"""The producers that are not services of didflow."""

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {service: f"{OUR_SOURCES}{service}" for service in SERVICES}
    | {ORDER_SYSTEMS: "/orders/", CARRIER_ADAPTERS: "/carriers/", PORTALS: "/portals/"}
)
"""Producer -> its CloudEvents `source`. For an outsider it is a prefix, which ends in a slash."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: its event, its producers and readers, and its settings in the cluster.

    Its producers are either services of didflow or outsiders, never both. So a broker that lets outsiders write to a
    topic does not let them pose as a service.
    """

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
    def is_written_by_outsiders(self) -> bool:
        """True if outsiders write this topic, and no service of didflow does."""
        return not set(self.producers).isdisjoint(OUTSIDERS)

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        return tuple(source for source in self.sources if source.endswith("/"))

    def allows(self, source: str) -> bool:
        """Return True if this source may publish on this topic. A service's source has no sources below it."""
        if source.endswith("/"):
            return False
        return source in self.sources or source.startswith(self._prefixes)


def _topic(event: type[EventData], producers: tuple[str, ...], readers: tuple[str, ...]) -> Topic:
    return Topic(name=event.topic, event=event, producers=producers, readers=readers)


def _also_by_inventory(outside: Topic) -> tuple[Topic, Topic]:
    """Return a topic of outsiders, and the topic on which inventory publishes the same events."""
    name = f"{INVENTORY}.{outside.name}"
    return outside, replace(outside, name=name, producers=(INVENTORY,))


_REGISTRATION_READERS = (INVENTORY, BILLING, PROVISIONING)

_TABLE: Final = (
    *_also_by_inventory(_topic(e.DidPurchased, (ORDER_SYSTEMS,), SERVICES)),
    *_also_by_inventory(_topic(e.DidPortingStarted, (ORDER_SYSTEMS,), SERVICES)),
    *_also_by_inventory(_topic(e.DidPortingEnded, (ORDER_SYSTEMS,), (INVENTORY, ORDER_SYSTEMS))),
    _topic(e.PurchaseRefused, (INVENTORY,), (BILLING, VERIFICATION, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.DidChanged, (INVENTORY,), (VERIFICATION, BILLING, PROVISIONING)),
    _topic(e.DidWithdrawn, (INVENTORY,), (BILLING,)),
    _topic(e.DidStatusChanged, (INVENTORY,), (ORDER_SYSTEMS,)),
    *_also_by_inventory(_topic(e.EnduserAssigned, (PORTALS,), (VERIFICATION, INVENTORY))),
    _topic(e.VerificationRequired, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationNotRequired, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationPending, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationApproved, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationRejected, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.VerificationExpiring, (VERIFICATION,), (*_REGISTRATION_READERS, ORDER_SYSTEMS)),
    _topic(e.VerificationExpired, (VERIFICATION,), _REGISTRATION_READERS),
    _topic(e.ServiceChanged, (VERIFICATION,), (INVENTORY,)),
    _topic(e.CarrierCommandIssued, (PROVISIONING,), (CARRIER_ADAPTERS,)),
    _topic(e.ResultReported, (CARRIER_ADAPTERS,), (PROVISIONING, INVENTORY, CARRIER_ADAPTERS)),
    _topic(e.DidActivated, (PROVISIONING,), (INVENTORY, ORDER_SYSTEMS)),
    _topic(e.RoutingChanged, (PROVISIONING,), (INVENTORY,)),
    _topic(e.TermChanged, (BILLING,), (INVENTORY, PROVISIONING)),
    _topic(e.CycleExpired, (BILLING,), (INVENTORY, PROVISIONING, ORDER_SYSTEMS)),
    _topic(e.TermExpiring, (BILLING,), (INVENTORY, ORDER_SYSTEMS)),
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


def topics_of(event: type[EventData]) -> tuple[str, ...]:
    """Return the names of all topics that carry an event. An event outside the table has the topic that it names."""
    return tuple(topic.name for topic in _TABLE if topic.event is event) or (event.topic,)


@lru_cache(maxsize=4_096)
def topic_for(source: str, event: type[EventData]) -> str:
    """Return the name of the topic on which a CloudEvents source publishes an event.

    If the source may publish it nowhere, or the event is not in the table, it is the topic that the event names.
    """
    return next(
        (topic.name for topic in _TABLE if topic.event is event and topic.allows(source)), event.topic
    )


def topics_read_by(reader: str) -> tuple[Topic, ...]:
    """Return the topics that a service or an outside party reads, in the order of the table."""
    return tuple(topic for topic in _TABLE if reader in topic.readers)


def topics_written_by(producer: str) -> tuple[Topic, ...]:
    """Return the topics that a service or an outside party may publish on, in the order of the table."""
    return tuple(topic for topic in _TABLE if producer in topic.producers)
