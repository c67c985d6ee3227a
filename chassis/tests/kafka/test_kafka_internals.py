"""The modules that depend on private parts of aiokafka and FastStream, on a real broker.

Fetch sessions have a file of their own.
"""

import asyncio
import time
from typing import Any

import toy
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ProducerClosed
from faults.raw_records import RawRecord
from faults.raw_records import publish as publish_raw
from topics_under_test import TopicsUnderTest
from toy_records import named, raw, record

from didflow.embedded.wait import until
from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database
from didflow_chassis.kafka_clients import producer
from didflow_chassis.kafka_internals import poll_observer, producer_shutdown
from didflow_chassis.settings import Settings

BAD_NAME = b"\xff\xfe"


def opened(number: int) -> toy.Opened:
    did_id, subject = named(number)
    return toy.Opened(did_id=did_id, number=subject, account="master/acme")


async def test_record_headers_a_name_that_is_not_utf8_does_not_stop_its_partition(
    topics: TopicsUnderTest, consumer: Consumer, database: Database
) -> None:
    """The record becomes a dead letter. Records before and after it, in the same batch, are processed."""
    topic = topics.settings.topic_prefix + "counter.opened"
    first, last = record(opened(1), "o1"), record(opened(2), "o2")
    good = [
        RawRecord(key=r.key, value=r.value, headers=[(b"content-type", r.headers[0][1])])
        for r in (first, last)
    ]
    bad = RawRecord(key=b"k", value=b"{}", headers=[(BAD_NAME, b"x")])
    await publish_raw(topics.producer, topic, 0, [good[0], bad, good[1]])

    async def done() -> bool:
        counters = await database.fetch("SELECT FROM counters")
        return len(counters) == 2 and len(await database.fetch("SELECT FROM dead_letters")) == 1

    await until(done, within=20, what="2 counters and 1 dead letter")


async def test_poll_observer_a_poll_is_announced_before_any_other_code_sees_its_records(
    topics: TopicsUnderTest, settings: Settings
) -> None:
    """An idle consumer keeps polling. A poll returns only with records, and they were announced before."""
    seen: list[str] = []
    async with AIOKafkaConsumer(
        settings.topic_prefix + "counter.added",
        bootstrap_servers=settings.kafka,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    ) as kafka:
        poll_observer.observe(
            kafka,
            before_poll=lambda: seen.append("poll"),
            on_idle=lambda: seen.append("idle"),
            on_records=lambda records: seen.extend(r.value.decode() for r in records),
        )
        polling = asyncio.create_task(kafka.getmany(timeout_ms=10))
        await until(lambda: seen.count("idle") >= 2, within=10, what="two empty polls")
        assert not polling.done()
        await topics.publish([raw(b"1")])
        found = await asyncio.wait_for(polling, timeout=10)
    assert [r.value for records in found.values() for r in records] == [b"1"]
    assert seen[:3] == ["poll", "idle", "poll"]
    assert seen[-1] == "1"


async def test_producer_shutdown_does_not_wait_for_records_that_cannot_be_sent(settings: Settings) -> None:
    """`abort` returns although a record has no answer. Whoever waits for the record gets an exception."""
    sender = producer(settings, "test")
    await sender.start()

    async def no_answer(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    topic = settings.topic_prefix + "counter.opened"
    await sender.partitions_for(topic)
    sender.client.send = no_answer
    answer = await sender.send(topic, b"1")
    started = time.monotonic()
    await producer_shutdown.abort(sender)
    assert time.monotonic() - started < producer_shutdown.TIMEOUT_S + 2
    assert answer.done()
    assert answer.cancelled() or isinstance(answer.exception(), ProducerClosed)
