"""The AsyncAPI document is built from the tables of the code, and it is the same each time."""

import orjson
import pytest
from asyncapi3.models import AsyncAPI3
from jsonschema import Draft7Validator

from didflow_chassis.asyncapi import as_json, of_party, of_service
from didflow_chassis.service import Handler, Service
from didflow_contracts.envelope import CONTENT_TYPE
from didflow_contracts.events import DidChanged, DidPurchased, TermChanged
from didflow_contracts.topics import ORDER_SYSTEMS, TOPICS, topics_written_by


def service(*heard, name: str = "inventory", migrations=None) -> Service:
    events = dict.fromkeys(heard, Handler(decide=lambda *_: None))
    return Service(name=name, main=object, kinds=(), events=events, commands={}, migrations=migrations)


def actions(document, action: str) -> list[str]:
    said = (op for op in document["operations"].values() if op["action"] == action)
    return [document["channels"][op["channel"]["$ref"].rpartition("/")[2]]["address"] for op in said]


def test_a_service_receives_the_topics_of_its_handlers_and_sends_those_of_the_contracts():
    """The topic of dead letters is included."""
    document = of_service(service(TermChanged, DidPurchased))

    assert actions(document, "receive") == [
        "did.purchased",
        "inventory.did.purchased",
        "term.changed",
    ]
    assert actions(document, "send") == [*(t.name for t in topics_written_by("inventory")), "inventory.dlq"]


def test_a_topic_that_is_both_read_and_written_is_one_channel():
    """Inventory reads and writes `inventory.did.purchased`: one channel with two operations."""
    document = of_service(service(DidPurchased))
    channel = {"$ref": "#/channels/InventoryDidPurchased"}

    assert document["operations"]["receiveInventoryDidPurchased"]["channel"] == channel
    assert document["operations"]["sendInventoryDidPurchased"]["channel"] == channel
    assert "sendDidPurchased" not in document["operations"]


def test_the_document_does_not_depend_on_the_order_of_the_handlers():
    """Equal tables give equal bytes."""
    one = as_json(of_service(service(TermChanged, DidPurchased, DidChanged)))
    other = as_json(of_service(service(DidChanged, DidPurchased, TermChanged)))

    assert one == other
    assert orjson.loads(one)["asyncapi"] == "3.0.0"


def test_an_order_system_sends_purchases_and_receives_their_outcome():
    """Each outside party has a document from its own side."""
    document = of_party(ORDER_SYSTEMS)

    assert "did.purchased" in actions(document, "send")
    assert "purchase.refused" in actions(document, "receive")


def test_an_unknown_party_has_no_document():
    """A misspelled name is an error."""
    with pytest.raises(KeyError):
        of_party("order-system")


def test_the_payload_of_a_message_is_the_complete_event():
    """The schema accepts a structured event and refuses an event of another type."""
    document = of_service(service())
    schema = {"$ref": "#/components/schemas/DidWithdrawnEvent", "components": document["components"]}
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/didflow/inventory",
        "type": "didflow.did.withdrawn.v1",
        "time": "2026-01-01T00:00:00Z",
        "data": {
            "did_id": "0190f6f4-0000-7000-8000-000000000000",
            "number": "+35319609036",
            "account": "master/acme",
            "reason": "hold_ended",
        },
    }

    assert Draft7Validator(schema).is_valid(event)
    assert not Draft7Validator(schema).is_valid(event | {"type": "didflow.did.changed.v1"})
    assert document["components"]["messages"]["DidWithdrawn"]["contentType"] == CONTENT_TYPE


def test_every_reference_exists():
    """Every `$ref` is in the document."""
    document = of_service(service(*(topic.event for topic in TOPICS.values())))
    refs = set(_refs(document))

    assert refs
    for ref in refs:
        place = document
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]


def test_the_document_is_valid_asyncapi():
    """An independent reader of AsyncAPI 3 accepts the documents of services and of outside parties."""
    for document in (of_service(service(DidPurchased)), of_party(ORDER_SYSTEMS)):
        AsyncAPI3.model_validate(document)


def _refs(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from [inner] if name == "$ref" else _refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _refs(inner)
