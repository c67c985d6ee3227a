"""F34: headers that try to steer: where to reply, which trace to belong to, and too much of them."""

from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from faults.evidence import gather
from faults.four import event_of, raw
from faults.installation import Install, Installation
from faults.invariants import Judge
from faults.oracle import Ask
from faults.rawrecords import RawRecord, publish
from harness.processes import until
from harness.topics import create_topics, delete_topics

from didflow_contracts.envelope import CONTENT_TYPE
from didflow_contracts.events import DidPurchased

STANDARD: Final = ((b"content-type", CONTENT_TYPE.encode()),)
HEARD: Final = "SELECT (SELECT count(*) FROM terms), (SELECT count(*) FROM dead_letters)"


async def test_nobody_is_answered_where_a_record_says(
    install: Install, ask: Ask, judge: Judge, kafka: str
) -> None:
    """F34: reply_to names a topic that is there and one that is ours: nothing comes there, good or bad the record."""
    at = await install("billing")
    oracle = await ask(at)
    prefix = at.parts.topic_prefix
    trap = f"{prefix}trap"
    await create_topics(kafka, [trap], partitions=1)
    await at.worker("billing").ready()
    steering = (
        (b"reply_to", trap.encode()),
        (b"correlation_id", b"x" * 500),
        (b"traceparent", b"00-" + b"f" * 3000),
        (b"baggage", b"a=b" * 300),
    )
    good = [oracle.make() for _ in range(4)]
    records = [
        RawRecord(key=one.number.encode(), value=one.value, headers=(*STANDARD, *steering[: n + 1]))
        for n, one in enumerate(good)
    ]
    topic = prefix + DidPurchased.topic
    await publish(oracle.producer, topic, 0, records)
    for one in good:
        oracle.note(one)
    heavy = tuple((b"h%02d" % n, b"v" * 2_000) for n in range(90))
    many = tuple((b"h%d" % n, b"v") for n in range(101))
    long = json_with_trace(oracle.make().value)
    bad = [
        RawRecord(key=b"k", value=b"{", headers=(*STANDARD, *steering)),
        RawRecord(key=b"k", value=b"{", headers=(*STANDARD, *heavy)),
        RawRecord(key=b"k", value=good[0].value, headers=(*STANDARD, *many)),
        RawRecord(key=b"k", value=long, headers=STANDARD),
    ]
    first = await publish(oracle.producer, topic, 1, bad)
    for n, reason in enumerate(("not_json", "not_json", "bad_header", "not_cloudevents")):
        where = {"topic": DidPurchased.topic, "partition": 1, "offset": first + n}
        oracle.ledger.write("poison", did_id="", number="", key=str(n), reason=reason, **where)
    await until(lambda: heard(at), within=20, what="all of it")
    await judge(at)
    assert await written(kafka, trap) == 0
    sizes, traces = await said(at, kafka)
    assert max(sizes) < 70_000
    assert not any(trace and len(trace) > 55 for trace in traces)
    await delete_topics(kafka, [trap])


def json_with_trace(value: bytes) -> bytes:
    """Give an event a trace that is longer than any attribute may be."""
    event = event_of(raw(value, DidPurchased.topic))
    return value.replace(b'"id":"' + event.id.encode(), b'"traceparent":"' + b"0" * 5000 + b'","id":"long')


async def heard(at: Installation) -> bool:
    """Whether billing has all four, and the letters."""
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    try:
        return tuple(await connection.fetchrow(HEARD)) == (4, 4)
    finally:
        await connection.close()


async def written(kafka: str, topic: str) -> int:
    """Count the records of a topic of one partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=None)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets([TopicPartition(topic, 0)])).values())
    finally:
        await consumer.stop()


async def said(at: Installation, kafka: str) -> tuple[list[int], list[Any]]:
    """Return how long the headers of each dead letter's copy are, and which traces our events carry."""
    consumer = AIOKafkaConsumer(
        f"{at.parts.topic_prefix}billing.dlq",
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
    evidence = await gather(at)
    ours = [one.event for one in evidence.records if one.event.source == "/didflow/billing"]
    return sizes, [event.traceparent for event in ours]
