"""AsyncAPI 3 documents: what a service or an outside party hears and says, made from the tables it runs by.

Equal tables give equal bytes. (FastStream's generator is not used: it overwrites a channel that is both
read and written, and names a server and a correlation header that are not ours.)
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
    "The value is a whole CloudEvents 1.0 event (structured mode). Readers also take binary mode: "
    "attributes in `ce_` headers, the value is `data`."
)

DEAD_LETTER_HEADERS = {
    "dlq_reason": "why, as a stable code",
    "dlq_service": "which service gave it up",
    "dlq_topic": "the topic it came from",
    "dlq_partition": "its partition there",
    "dlq_offset": "its offset there",
    "dlq_at": "when, RFC 3339 in UTC",
}


def of_service(service: Service) -> Document:
    """Describe a service: it receives what its table of events names and sends what contracts let it say."""
    heard = {model.topic for model in service.events}
    document = _document(
        title=f"didflow {service.name}",
        description=f"What the service {service.name} hears and says. {MODES}",
        reads=(topic for topic in TOPICS.values() if topic.name in heard),
        writes=topics_written_by(service.name),
    )
    if service.name in DEAD_LETTER_TOPICS:
        _add_dead_letters(document, DEAD_LETTER_TOPICS[service.name])
    return document


def of_party(party: str) -> Document:
    """Describe an outside party by its name in contracts. Raises KeyError for one that is not there."""
    reads, writes = topics_read_by(party), topics_written_by(party)
    if not reads and not writes:
        raise KeyError(party)
    return _document(
        title=f"didflow for {party.replace('-', ' ')}",
        description=f"What {party.replace('-', ' ')} may hear from didflow and say to it. {MODES}",
        reads=reads,
        writes=writes,
    )


def as_json(document: Document) -> str:
    """Write a document for people and tools: indented, ending in a newline."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _document(*, title: str, description: str, reads: Iterable[Topic], writes: Iterable[Topic]) -> Document:
    channels: Document = {}
    operations: Document = {}
    components: Document = {"messages": {}, "schemas": {}}
    for action, topics in (("receive", reads), ("send", writes)):
        for topic in topics:
            name = topic.event.__name__
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
    """Let a schema find its parts among the document's components rather than in itself."""
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
        "summary": "A record that was given up on, with its own key, value and headers.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
    }
