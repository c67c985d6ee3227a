"""The table of topics is whole and says who may speak."""

from datetime import timedelta

from didflow_contracts.events import EVENTS
from didflow_contracts.topics import (
    DEAD_LETTER_TOPICS,
    SERVICES,
    SOURCES,
    TOPICS,
    topics_read_by,
    topics_written_by,
)


def names(topics: object) -> set[str]:
    return {topic.name for topic in topics}  # type: ignore[attr-defined]


def test_every_event_has_exactly_one_topic() -> None:
    """No event without a topic, no topic without an event, no name of its own."""
    assert {topic.event for topic in TOPICS.values()} == set(EVENTS)
    assert all(name == topic.name == topic.event.topic for name, topic in TOPICS.items())


def test_topics_are_kept_alike() -> None:
    """12 partitions, 7 days, 2 MiB: the same everywhere, so that a number's partition is the same."""
    kept = {(topic.partitions, topic.retention, topic.max_message_bytes) for topic in TOPICS.values()}
    assert kept == {(12, timedelta(days=7), 2_097_152)}


def test_every_producer_has_a_source_and_every_topic_a_producer_and_a_reader() -> None:
    """Nobody may speak without a name, and nothing is said to nobody."""
    for topic in TOPICS.values():
        assert set(topic.producers) <= set(SOURCES)
        assert topic.producers
        assert topic.readers


def test_a_source_is_matched_whole() -> None:
    """A prefix asks for a name behind it; a service's own source allows no look-alike."""
    bought = TOPICS["did.purchased"]
    assert bought.allows("/orders/acme")
    assert bought.allows("/didflow/inventory")
    assert bought.allows("/didflow/inventory/import")
    for stranger in ("/orders/", "/orders", "orders/acme", "/didflow/inventoryx", "/didflow/", ""):
        assert not bought.allows(stranger)
    assert TOPICS["enduser.assigned"].allows("/portals/acme")
    assert not TOPICS["did.removed"].allows("/orders/acme")


def test_services_read_what_the_table_says() -> None:
    """Each service's subscriptions follow from the one table."""
    registration = {name for name in TOPICS if name.startswith("verification.")}
    four = {"did.purchased", "did.porting_started"}
    assert names(topics_read_by("verification")) == four | {
        "purchase.refused",
        "did.changed",
        "enduser.assigned",
        "did.removed",
    }
    assert names(topics_read_by("billing")) == four | registration | {
        "purchase.refused",
        "did.changed",
        "did.withdrawn",
    }
    assert names(topics_read_by("provisioning")) == four | registration | {
        "purchase.refused",
        "did.changed",
        "provisioning.results",
        "term.changed",
        "cycle.expired",
        "did.removed",
    }
    own = {"purchase.refused", "did.changed", "did.withdrawn", "did.status_changed"}
    assert names(topics_read_by("inventory")) == set(TOPICS) - own - {"provisioning.commands"}


def test_outside_parties_are_in_the_table_too() -> None:
    """Order systems and carrier adapters can see on one screen what they read and send."""
    assert names(topics_written_by("order-systems")) == {
        "did.purchased",
        "did.porting_started",
        "did.porting_ended",
    }
    assert names(topics_read_by("carrier-adapters")) == {"provisioning.commands"}
    assert names(topics_written_by("carrier-adapters")) == {"provisioning.results"}


def test_each_service_has_one_dead_letter_topic() -> None:
    """Named after the service, apart from the event topics."""
    assert dict(DEAD_LETTER_TOPICS) == {service: f"{service}.dlq" for service in SERVICES}
    assert not set(DEAD_LETTER_TOPICS.values()) & set(TOPICS)
