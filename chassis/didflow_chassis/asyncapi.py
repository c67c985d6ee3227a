"""AsyncAPI 3 documents: the topics that a service or an outside party reads and writes.

They are built from the tables of the code. Equal tables give equal bytes. FastStream's generator is not used, because
it overwrites a channel that is both read and written, and names a server and a correlation header of its own.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import orjson

from didflow_chassis.service import Service
from didflow_contracts.envelope import CONTENT_TYPE
from didflow_contracts.schemas import schema_of
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS, Topic, topics_read_by, topics_written_by

Document = dict[str, Any]

BINDING = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""

MODES = (
    "The value is a complete CloudEvents 1.0 event (structured mode). Binary mode is also accepted: "
    "the attributes are `ce_` headers and the value is `data`."
)

DEAD_LETTER_HEADERS = {
    "dlq_reason": "the reason, as a stable code",
    "dlq_service": "the service that could not process it",
    "dlq_topic": "the topic of the original record",
    "dlq_partition": "the partition of the original record",
    "dlq_offset": "the offset of the original record",
    "dlq_at": "the time, RFC 3339 in UTC",
}


def of_service(service: Service) -> Document:
    """Describe a service: the topics of its handlers, and the topics that contracts let it write."""
    document = _document(
        title=f"didflow {service.name}",
        description=f"The topics that the service {service.name} reads and writes. {MODES}",
        reads=(topic for topic in TOPICS.values() if topic.name in service.topics_read),
        writes=topics_written_by(service.name),
    )
    if service.name in DEAD_LETTER_TOPICS:
        _add_dead_letters(document, DEAD_LETTER_TOPICS[service.name])
    return document


def of_party(party: str) -> Document:
    """Describe an outside party by its name in contracts. Raises KeyError for an unknown name."""
    reads, writes = topics_read_by(party), topics_written_by(party)
    if not reads and not writes:
        raise KeyError(party)
    return _document(
        title=f"didflow for {party.replace('-', ' ')}",
        description=f"The topics that {party.replace('-', ' ')} may read and write. {MODES}",
        reads=reads,
        writes=writes,
    )


def as_json(document: Document) -> str:
    """Return a document as indented JSON that ends with a newline."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _document(*, title: str, description: str, reads: Iterable[Topic], writes: Iterable[Topic]) -> Document:
    channels: Document = {}
    operations: Document = {}
    components: Document = {"messages": {}, "schemas": {}}
    for action, topics in (("receive", reads), ("send", writes)):
        for topic in topics:
            name = _name(topic)
            channels[name] = _channel(topic)
            operations[f"{action}{name}"] = _operation(action, name)
            _add_message(components, topic)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": version("didflow-contracts"),
            "description": description,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": components,
    }


def _name(topic: Topic) -> str:
    """Return the name of a topic's channel: that of its event, after the service that has a topic of its own for it."""
    owner = topic.name.removesuffix(topic.event.topic).rstrip(".")
    return f"{owner.capitalize()}{topic.event.__name__}"


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.name,
        "messages": {topic.event.__name__: {"$ref": f"#/components/messages/{topic.event.__name__}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": int(topic.retention.total_seconds() * 1000),
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _operation(action: str, channel: str) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _add_message(components: Document, topic: Topic) -> None:
    model = topic.event
    schema = _hoisted(schema_of(model))
    components["schemas"] |= schema.pop("$defs")
    components["schemas"][f"{model.__name__}Event"] = schema
    components["messages"][model.__name__] = {
        "name": model.type(),
        "title": model.type(),
        "summary": (model.__doc__ or "").partition("\n")[0],
        "contentType": CONTENT_TYPE,
        "correlationId": {"location": "$message.payload#/correlationid"},
        "payload": {"$ref": f"#/components/schemas/{model.__name__}Event"},
        "bindings": {"kafka": {"key": _key(), "bindingVersion": BINDING}},
    }


def _key() -> Document:
    return {"type": "string", "description": "The event's `subject`; partition by murmur2 of it."}


def _hoisted(schema: Any) -> Any:
    """Return a schema whose parts are in the components of the document."""
    if isinstance(schema, dict):
        kept = ((name, _hoisted(value)) for name, value in schema.items() if name not in {"$schema", "$id"})
        return {name: _component(value) if name == "$ref" else value for name, value in kept}
    return [_hoisted(each) for each in schema] if isinstance(schema, list) else schema


def _component(ref: str) -> str:
    return ref.replace("#/$defs/", "#/components/schemas/")


def _add_dead_letters(document: Document, name: str) -> None:
    headers = {
        header: {"type": "string", "description": what} for header, what in DEAD_LETTER_HEADERS.items()
    }
    document["channels"]["DeadLetter"] = {
        "address": name,
        "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
        "bindings": {"kafka": {"topic": name, "bindingVersion": BINDING}},
    }
    document["operations"]["sendDeadLetter"] = _operation("send", "DeadLetter")
    document["components"]["messages"]["DeadLetter"] = {
        "name": "dead_letter",
        "summary": "A record that could not be processed, with its own key, value and headers.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
    }
