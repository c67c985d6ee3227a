"""`didflow events`: prints the records of the topics, one readable line each."""

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from didflow.commands.options import Data, Json, Kafka, installation_of, number_of, run
from didflow.console import Screen, leave_quietly, reader_has_gone
from didflow.errors import BadInput
from didflow.event_line import line_of
from didflow.installation import Installation
from didflow_contracts.near_misses import nearest
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

# ruff: noqa: PLC0415 - each command loads only what it runs

_ALL = (*TOPICS, *DEAD_LETTER_TOPICS.values())
_SIMILAR = 0.6


def events(
    *,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="A topic to print. Repeat the option for more topics. Default: all."),
    ] = None,
    number: Annotated[
        str | None, typer.Option(help="Only records of this number, such as +35312345678.")
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Start with the oldest stored record.")
    ] = False,
    json: Json = False,
    data: Data = None,
    kafka: Kafka = None,
) -> None:
    """Print events as they arrive, in the order of time, until the command is stopped."""
    run(_print(installation_of(data, kafka=kafka), topic or _ALL, number, from_start=from_start, json=json))


async def _print(
    installation: Installation, topics: Sequence[str], number: str | None, *, from_start: bool, json: bool
) -> None:
    from didflow.tail import reading_topics

    wanted = number_of(number)
    _check(topics)
    settings = installation.kafka_settings()
    screen = Screen()
    async with reading_topics(settings, topics, from_start=from_start) as tail:
        async for records in tail.by_time():
            for record in records:
                topic = record.topic.removeprefix(settings.topic_prefix)
                text = _text(record, topic, wanted, json=json)
                if text is not None:
                    screen.line(text)
            if reader_has_gone():
                leave_quietly()


def _check(topics: Sequence[str]) -> None:
    """Raise BadInput for a name that is no topic of didflow, with the nearest one."""
    for name in topics:
        if name not in _ALL:
            close = nearest(name, _ALL, similarity=_SIMILAR)
            hint = f"Did you mean {close}?" if close else f"Use one of {', '.join(_ALL)}."
            raise BadInput(f"There is no topic {name!r}. {hint}")


def _text(record: "ConsumerRecord", topic: str, number: str | None, *, json: bool) -> str | None:
    line = line_of(topic, record.value, dict(record.headers), record.timestamp)
    key = (record.key or b"").decode("utf-8", "replace")
    if number and number not in (line.number, key):
        return None
    return orjson.dumps(_values(record, topic)).decode() if json else str(line)


def _values(record: "ConsumerRecord", topic: str) -> dict[str, Any]:
    """Return the whole record for programs. A value that is not JSON is written in base64."""
    place = {"topic": topic, "partition": record.partition, "offset": record.offset}
    headers = {name: (value or b"").decode("utf-8", "backslashreplace") for name, value in record.headers}
    key = record.key.decode("utf-8", "backslashreplace") if record.key is not None else None
    try:
        value = {"value": orjson.loads(record.value or b"null")}
    except orjson.JSONDecodeError:
        value = {"value_base64": b64encode(record.value or b"").decode()}
    return {**place, "timestamp_ms": record.timestamp, "key": key, "headers": headers, **value}
