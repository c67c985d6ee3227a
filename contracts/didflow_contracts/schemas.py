"""The JSON Schemas (2020-12) of the events. The current ones are built from the models.

`python -m didflow_contracts.schemas release` writes them to the folder of released schemas. It fails if a
change would break a released schema.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from didflow_contracts.bounds import ATTRIBUTE
from didflow_contracts.compatibility import Change, breaking_changes
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EVENTS
from didflow_contracts.instants import INSTANT_LIMITS
from didflow_contracts.terminal import say
from didflow_contracts.topics import TOPICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RELEASED = Path(__file__).parent.parent / "schemas" / "v1"
"""The folder of the released schemas in a checkout. It is not part of the installed package."""

_TEXT: JsonSchemaValue = {"type": "string", "minLength": ATTRIBUTE.least, "maxLength": ATTRIBUTE.most}
_REQUIRED = ("specversion", "id", "source", "type", "time", "data")


class _WithoutTitles(GenerateJsonSchema):
    """Leave out titles that only repeat the name of a field."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        return False


def current() -> dict[str, JsonSchemaValue]:
    """Return the current schemas: topic -> schema of a structured-mode event."""
    return {model.topic: schema_of(model) for model in EVENTS}


def schema_of(model: type[EventData]) -> JsonSchemaValue:
    """Return the schema of one event: the envelope, with the schema of the data in `$defs`."""
    data = model.model_json_schema(schema_generator=_WithoutTitles)
    definitions = data.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "$id": f"urn:didflow:schema:v1:{model.topic}",
        "title": model.type(),
        "description": model.__doc__,
        "type": "object",
        "properties": _envelope(model),
        "required": list(_REQUIRED),
        "$defs": {**definitions, model.__name__: data},
    }


def released(folder: Path = RELEASED) -> dict[str, JsonSchemaValue]:
    """Return the released schemas of a folder, by topic."""
    return {path.stem: orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def breaks(folder: Path = RELEASED) -> list[Change]:
    """Return the breaking changes between the released schemas of a folder and the current ones."""
    return breaking_changes({"topics": released(folder)}, {"topics": current()})


def release(folder: Path = RELEASED) -> None:
    """Write the current schemas into a folder, one file for each topic."""
    folder.mkdir(parents=True, exist_ok=True)
    for topic, schema in current().items():
        (folder / f"{topic}.json").write_bytes(as_text(schema))


def as_text(value: Mapping[str, Any]) -> bytes:
    """Return indented JSON with a final newline."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main(arguments: Sequence[str]) -> int:
    """Run `release [FOLDER]` or `check [FOLDER]`. Return 1 for a breaking change and 2 for wrong arguments."""
    if not arguments or arguments[0] not in ("release", "check") or len(arguments) > 2:
        say("usage: python -m didflow_contracts.schemas release|check [FOLDER]", err=True)
        return 2
    folder = Path(arguments[1]) if len(arguments) == 2 else RELEASED
    found = breaks(folder)
    for change in found:
        say(str(change), err=True)
    if found:
        return 1
    if arguments[0] == "release":
        release(folder)
        say(f"{len(EVENTS)} schemas written to {folder}")
    return 0


def _envelope(model: type[EventData]) -> JsonSchemaValue:
    sources = ", ".join(f"`{source}`" for source in TOPICS[model.topic].sources)
    return {
        "specversion": {"const": "1.0", "description": "The CloudEvents version."},
        "id": _TEXT
        | {"description": "Unique per `source`. An event with the same `source` and `id` is a repeat."},
        "source": _TEXT
        | {"description": f"Who published the event: {sources}. A value that ends in a slash is a prefix."},
        "type": {"const": model.type(), "description": "Type of the event."},
        "subject": {"type": "string", "description": "The number, as in `data`. Optional."},
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "When the event became true, in UTC.",
            **INSTANT_LIMITS,
        },
        "datacontenttype": {"type": "string", "description": "`application/json`. Optional."},
        "sequence": {
            "type": "string",
            "description": "Count of the events of one source about one DID, from 1. Only didflow services set it.",
        },
        "correlationid": _TEXT | {"description": "The purchase that this event goes back to."},
        "causationid": _TEXT | {"description": "The event or request that caused this one."},
        "actor": _TEXT | {"description": "Who caused the change: `user:<subject>` or `service:<name>`."},
        "traceparent": _TEXT | {"description": "W3C trace context."},
        "data": {"$ref": f"#/$defs/{model.__name__}"},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
