"""F34: headers that try to control the consumer: where to reply, which trace to use, and too much data."""

from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from faults.evidence import gather
from faults.installation import Install, Installation
from faults.invariants import CheckInvariants
from faults.raw_records import RawRecord, publish
from faults.recording_client import OpenClient
from faults.services_in_process import event_of, raw_record
from harness.processes import until
from harness.topics import create_topics, delete_topics

from didflow_contracts.envelope import CONTENT_TYPE
from didflow_contracts.events import DidPurchased

STANDARD: Final = ((b"content-type", CONTENT_TYPE.encode()),)
TERMS_AND_DEAD_LETTERS: Final = "SELECT (SELECT count(*) FROM terms), (SELECT count(*) FROM dead_letters)"


async def test_no_record_is_published_where_a_header_says(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, kafka: str
) -> None:
    """F34: `reply_to` names an existing topic. Nothing is published to it, whether the record is good or bad."""
    installation = await install("billing")
    client = await open_client(installation)
    prefix = installation.parts.topic_prefix
    trap = f"{prefix}trap"
    await create_topics(kafka, [trap], partitions=1)
    await installation.worker("billing").ready()
    control_headers = (
        (b"reply_to", trap.encode()),
        (b"correlation_id", b"x" * 500),
        (b"traceparent", b"00-" + b"f" * 3000),
        (b"baggage", b"a=b" * 300),
    )
    good = [client.make() for _ in range(4)]
    records = [
        RawRecord(
            key=purchase.number.encode(), value=purchase.value, headers=(*STANDARD, *control_headers[: n + 1])
        )
        for n, purchase in enumerate(good)
    ]
    topic = prefix + DidPurchased.topic
    await publish(client.producer, topic, 0, records)
    for purchase in good:
        client.note(purchase)
    heavy = tuple((b"h%02d" % n, b"v" * 2_000) for n in range(90))
    many = tuple((b"h%d" % n, b"v") for n in range(101))
    long_trace = with_long_trace(client.make().value)
    bad = [
        RawRecord(key=b"k", value=b"{", headers=(*STANDARD, *control_headers)),
        RawRecord(key=b"k", value=b"{", headers=(*STANDARD, *heavy)),
        RawRecord(key=b"k", value=good[0].value, headers=(*STANDARD, *many)),
        RawRecord(key=b"k", value=long_trace, headers=STANDARD),
    ]
    first = await publish(client.producer, topic, 1, bad)
    for n, reason in enumerate(("not_json", "not_json", "bad_header", "not_cloudevents")):
        place = {"topic": DidPurchased.topic, "partition": 1, "offset": first + n}
        client.ledger.write("poison", did_id="", number="", key=str(n), reason=reason, **place)
    await until(lambda: is_processed(installation), within=20, what="all terms and dead letters")
    await check_invariants(installation)
    assert await record_count(kafka, trap) == 0
    sizes, traces = await header_sizes_and_traces(installation, kafka)
    assert max(sizes) < 70_000
    assert not any(trace and len(trace) > 55 for trace in traces)
    await delete_topics(kafka, [trap])


def with_long_trace(value: bytes) -> bytes:
    """Return the event with a trace that is longer than an attribute may be."""
    event = event_of(raw_record(value, DidPurchased.topic))
    return value.replace(b'"id":"' + event.id.encode(), b'"traceparent":"' + b"0" * 5000 + b'","id":"long')


async def is_processed(installation: Installation) -> bool:
    """Return True if billing has all four terms and all four dead letters."""
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    try:
        return tuple(await connection.fetchrow(TERMS_AND_DEAD_LETTERS)) == (4, 4)
    finally:
        await connection.close()


async def record_count(kafka: str, topic: str) -> int:
    """Return the number of records of a topic with one partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=None)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets([TopicPartition(topic, 0)])).values())
    finally:
        await consumer.stop()


async def header_sizes_and_traces(installation: Installation, kafka: str) -> tuple[list[int], list[Any]]:
    """Return the size of the headers of each dead letter's copy, and the traces of billing's events."""
    consumer = AIOKafkaConsumer(
        f"{installation.parts.topic_prefix}billing.dlq",
        bootstrap_servers=kafka,
        group_id=None,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        copies = [await consumer.getone() for _ in range(4)]
    finally:
        await consumer.stop()
    sizes = [sum(len(name) + len(value or b"") for name, value in copy.headers) for copy in copies]
    evidence = await gather(installation)
    events = [
        published.event for published in evidence.records if published.event.source == "/didflow/billing"
    ]
    return sizes, [event.traceparent for event in events]
