"""What the floor publishes for an event, and the types of what it writes."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import orjson

Statement = tuple[str, tuple[Sequence[Any], ...]]
Record = tuple[str, bytes, bytes]
Written = Callable[[Sequence[Any]], tuple[list[Statement], list[Record]]]
"""Takes the decoded events of a batch. Returns its statements, and (topic, key, value) of each event to publish."""


def json_text(value: Any) -> str:
    """Return a value as JSON."""
    return orjson.dumps(value).decode()


def record(event: Any, topic: str, source: str, sequence: str, data: dict[str, Any]) -> Record:
    """Return an event of a service that a received event causes."""
    number = event["data"]["number"]
    about = {"did_id": event["data"]["did_id"], "number": number, "account": event["data"]["account"]}
    value = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"/didflow/{source}",
        "type": f"didflow.{topic}.v1",
        "subject": number,
        "time": event["time"],
        "datacontenttype": "application/json",
        "sequence": sequence,
        "correlationid": event.get("correlationid", event["id"]),
        "causationid": event["id"],
        "actor": f"service:{source}",
        "data": about | data,
    }
    return topic, number.encode(), orjson.dumps(value)
