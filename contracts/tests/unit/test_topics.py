"""The table of topics is complete and knows who may publish."""

from datetime import timedelta

from didflow_contracts.events import EVENTS, DidPurchased, TermChanged
from didflow_contracts.topics import (
    DEAD_LETTER_TOPICS,
    OUTSIDERS,
    SERVICES,
    SOURCES,
    TOPICS,
    topic_for,
    topics_of,
    topics_read_by,
    topics_written_by,
)


def names(topics: object) -> set[str]:
    return {topic.name for topic in topics}  # type: ignore[attr-defined]


def test_every_event_has_the_topic_that_it_names() -> None:
    """There is no topic without an event."""
    assert {topic.event for topic in TOPICS.values()} == set(EVENTS)
    assert all(TOPICS[event.topic].event is event for event in EVENTS)
    assert all(name == topic.name for name, topic in TOPICS.items())


def test_a_topic_that_outsiders_write_is_written_by_no_service() -> None:
    """What inventory publishes of the same types has topics of its own."""
    for topic in TOPICS.values():
        assert set(topic.producers) <= set(OUTSIDERS) or set(topic.producers) <= set(SERVICES)
        assert topic.is_written_by_outsiders == (not set(topic.producers) <= set(SERVICES))
    by_inventory = {name for name in TOPICS if name.startswith("inventory.")}
    assert by_inventory == {
        "inventory.did.purchased",
        "inventory.did.porting_started",
        "inventory.did.porting_ended",
        "inventory.enduser.assigned",
    }
    for name in by_inventory:
        outside = TOPICS[name.removeprefix("inventory.")]
        assert TOPICS[name].producers == ("inventory",)
        assert (TOPICS[name].event, TOPICS[name].readers) == (outside.event, outside.readers)


def test_a_source_publishes_an_event_on_its_own_topic() -> None:
    """An event of a stranger has the topic that it names."""
    assert topic_for("/didflow/inventory", DidPurchased) == "inventory.did.purchased"
    assert topic_for("/orders/acme", DidPurchased) == "did.purchased"
    assert topic_for("/somebody", DidPurchased) == "did.purchased"
    assert topic_for("/didflow/billing", TermChanged) == "term.changed"
    assert topics_of(DidPurchased) == ("did.purchased", "inventory.did.purchased")


def test_all_topics_have_the_same_settings() -> None:
    """12 partitions, 7 days, 2 MiB. With equal partitions, a number has the same partition in every topic."""
    kept = {(topic.partitions, topic.retention, topic.max_message_bytes) for topic in TOPICS.values()}
    assert kept == {(12, timedelta(days=7), 2_097_152)}


def test_every_producer_has_a_source_and_every_topic_a_producer_and_a_reader() -> None:
    """No topic is without a producer or a reader."""
    for topic in TOPICS.values():
        assert set(topic.producers) <= set(SOURCES)
        assert topic.producers
        assert topic.readers


def test_a_source_must_match_whole_segments() -> None:
    """A prefix needs a name after it, and a similar name is not allowed."""
    bought = TOPICS["did.purchased"]
    assert bought.allows("/orders/acme")
    assert bought.allows("/orders/acme/shop")
    for stranger in ("/orders/", "/orders", "orders/acme", "/didflow/inventory", "/portals/acme", ""):
        assert not bought.allows(stranger)
    by_inventory = TOPICS["inventory.did.purchased"]
    assert by_inventory.allows("/didflow/inventory")
    for stranger in ("/didflow/inventory/import", "/didflow/inventoryx", "/didflow/billing", "/orders/acme"):
        assert not by_inventory.allows(stranger)
    assert TOPICS["enduser.assigned"].allows("/portals/acme")
    assert not TOPICS["did.removed"].allows("/orders/acme")


def test_each_service_reads_its_topics() -> None:
    """The subscriptions of a service follow from the table."""
    registration = {name for name in TOPICS if name.startswith("verification.")}
    outside = {"did.purchased", "did.porting_started"}
    four = outside | {f"inventory.{name}" for name in outside}
    assert names(topics_read_by("verification")) == four | {
        "purchase.refused",
        "did.changed",
        "enduser.assigned",
        "inventory.enduser.assigned",
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


def test_reminders_are_published_by_billing_for_inventory_and_order_systems() -> None:
    """No other service reads them: they change nothing."""
    reminders = TOPICS["term.expiring"]
    assert (reminders.producers, reminders.readers) == (("billing",), ("inventory", "order-systems"))


def test_the_table_includes_outside_parties() -> None:
    """It lists what order systems and carrier adapters read and publish."""
    assert names(topics_written_by("order-systems")) >= {
        "did.purchased",
        "did.porting_started",
        "did.porting_ended",
    }
    assert names(topics_read_by("carrier-adapters")) == {"provisioning.commands", "provisioning.results"}
    assert names(topics_written_by("carrier-adapters")) == {"provisioning.results"}


def test_each_service_has_one_dead_letter_topic() -> None:
    """It is named after the service and is not an event topic."""
    assert dict(DEAD_LETTER_TOPICS) == {service: f"{service}.dlq" for service in SERVICES}
    assert not set(DEAD_LETTER_TOPICS.values()) & set(TOPICS)
