"""`didflow events`: prints the records of the topics, one readable line each."""

import sys
from base64 import b64encode
from typing import Annotated

import orjson
import typer
from aiokafka import ConsumerRecord

from didflow.commands.options import Data, Json, Kafka, run, target_of
from didflow.event_line import line_of
from didflow.tail import reading_topics
from didflow.target import Target
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS


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
    """Print events as they arrive, until the command is stopped."""
    topics = topic or [*TOPICS, *DEAD_LETTER_TOPICS.values()]
    wanted = number and "+" + number.removeprefix("+")
    run(_tail(target_of(data, kafka=kafka), topics, wanted, from_start=from_start, json=json))


async def _tail(
    target: Target, topics: list[str], number: str | None, *, from_start: bool, json: bool
) -> None:
    settings = target.kafka_settings()
    async with reading_topics(settings, topics, from_start=from_start) as tail:
        async for record in tail.records():
            text = _text(record, record.topic.removeprefix(settings.topic_prefix), number, json=json)
            if text is not None:
                sys.stdout.write(text + "\n")
                sys.stdout.flush()


def _text(record: ConsumerRecord, topic: str, number: str | None, *, json: bool) -> str | None:
    line = line_of(topic, record.value, dict(record.headers))
    key = (record.key or b"").decode("utf-8", "replace")
    if number and number not in (line.number, key):
        return None
    return _raw(record, topic) if json else str(line)


def _raw(record: ConsumerRecord, topic: str) -> str:
    """Return the whole record as JSON. A value that is not JSON is written in base64."""
    place = {"topic": topic, "partition": record.partition, "offset": record.offset}
    headers = {name: (value or b"").decode("utf-8", "backslashreplace") for name, value in record.headers}
    key = record.key.decode("utf-8", "backslashreplace") if record.key is not None else None
    try:
        value = {"value": orjson.loads(record.value or b"null")}
    except orjson.JSONDecodeError:
        value = {"value_base64": b64encode(record.value or b"").decode()}
    return orjson.dumps({**place, "key": key, "headers": headers, **value}).decode()
