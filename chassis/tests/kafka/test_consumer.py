"""The consumer on a real Kafka: no record is skipped or lost, and offsets are committed after the database."""

import pytest
import toy
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Producer
from topics_under_test import StartRelay, TopicsUnderTest
from toy_records import named, raw, record

from didflow.embedded.wait import until
from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database, Outage
from didflow_contracts.envelope import decode

ACCOUNT = "master/acme"


def opened(number: int) -> toy.Opened:
    did_id, subject = named(number)
    return toy.Opened(did_id=did_id, number=subject, account=ACCOUNT)


def added(number: int, amount: int) -> toy.Added:
    did_id, subject = named(number)
    return toy.Added(did_id=did_id, number=subject, account=ACCOUNT, amount=amount)


async def counters(database: Database) -> dict[str, int]:
    return {row["number"]: row["total"] for row in await database.fetch("SELECT number, total FROM counters")}


async def test_an_event_leads_to_an_event_with_its_subject_as_the_key(
    topics: TopicsUnderTest, consumer: Consumer, start_relay: StartRelay
) -> None:
    """It is received, decided, and published in order."""
    await start_relay()
    await topics.publish([record(opened(1), "1"), record(added(1, 5), "2"), record(added(1, 7), "3")])
    heard = await topics.received("counter.counted", 3)
    events = [decode(r.value, r.headers, types={toy.Counted.type(): toy.Counted}) for r in heard]
    assert [e.sequence for e in events] == [1, 2, 3]
    assert events[-1].data.total == 12
    assert {r.key for r in heard} == {named(1)[1].encode()}


async def test_undecodable_records_do_not_take_their_batch_with_them(
    topics: TopicsUnderTest, consumer: Consumer, database: Database
) -> None:
    """Headers that are not UTF-8, a missing value and invalid JSON are dead letters.

    All other records are processed.
    """
    bad_header = (("content-type", b"\xff\xfe"), ("x", b"\xc3\x28"))
    bad = [raw(b"{}", headers=bad_header), raw(None), raw(b"\xff\xff"), raw(b"{", key=None)]
    good = [record(opened(n), f"o{n}") for n in range(50)]
    await topics.publish([*good[:25], *bad, *good[25:]])

    async def done() -> bool:
        rows = await database.fetch("SELECT count(*) FROM dead_letters")
        return len(await counters(database)) == 50 and rows[0][0] == 4

    await until(done, within=20, what="50 counters and 4 dead letters")


async def test_a_dead_letter_is_copied_to_its_topic_with_the_original_bytes(
    topics: TopicsUnderTest, consumer: Consumer, start_relay: StartRelay
) -> None:
    """It has the original key, value and headers, and headers with the reason, the service and the place."""
    await start_relay()
    await topics.publish([raw(b"{", key=b"\xfe", headers=(("x", b"\xff"), ("empty", None)))])
    (copy,) = await topics.received("counting.dlq", 1)
    headers = dict(copy.headers)
    assert (copy.key, copy.value, headers["x"], headers["empty"]) == (b"\xfe", b"{", b"\xff", None)
    said = {name: headers[name] for name in ("dlq_reason", "dlq_service", "dlq_topic", "dlq_offset")}
    assert said == {
        "dlq_reason": b"bad_header",
        "dlq_service": b"counting",
        "dlq_topic": b"counter.added",
        "dlq_offset": b"0",
    }


async def test_a_batch_is_retried_after_an_outage(
    topics: TopicsUnderTest, consumer: Consumer, database: Database, monkeypatch
) -> None:
    """The database fails for three batches. No record is skipped or becomes a dead letter, and the order is kept."""
    real, failures = database.transaction, 3

    def transaction():
        nonlocal failures
        if failures:
            failures -= 1
            raise Outage("away")
        return real()

    monkeypatch.setattr(database, "transaction", transaction)
    await topics.publish([record(opened(1), "o")])
    await topics.publish([record(added(1, n), f"a{n}") for n in range(20)])

    async def done() -> bool:
        return (await counters(database)).get(named(1)[1]) == sum(range(20))

    await until(done, within=20, what="all additions")
    rows = await database.fetch("SELECT additions::text FROM counters")
    assert rows[0][0] == str(list(range(20)))
    assert not await database.fetch("SELECT FROM dead_letters")


async def test_offsets_are_committed_after_the_database(
    topics: TopicsUnderTest, consumer: Consumer, database: Database
) -> None:
    """In the end, the group has committed all records, and the database has all of them."""
    await topics.publish([record(opened(n), f"o{n}") for n in range(40)])

    async def done() -> bool:
        return await committed(topics) == 40

    await until(done, within=20, what="committed offsets")
    assert len(await counters(database)) == 40


async def test_two_members_of_a_group_share_the_work_and_lose_nothing(
    topics: TopicsUnderTest, consumer: Consumer, settings, stage, database: Database
) -> None:
    """A second member joins and leaves meanwhile. Every message has its effect once."""
    second = Consumer(toy.SERVICE, settings, stage)
    await topics.publish([record(opened(n), f"o{n}") for n in range(100)])
    await second.start()
    await topics.publish([record(added(n, 1), f"a{n}") for n in range(100)])
    await second.stop()
    await topics.publish([record(added(n, 1), f"b{n}") for n in range(100)])

    async def done() -> bool:
        return list((await counters(database)).values()) == [2] * 100

    await until(done, within=30, what="both additions of all counters")


async def test_no_offset_is_committed_while_the_database_is_down(
    topics: TopicsUnderTest, consumer: Consumer, database: Database, monkeypatch
) -> None:
    """A crash during the outage would lose no record."""
    tried = 0
    real = database.transaction

    def transaction():
        nonlocal tried
        tried += 1
        raise Outage("away")

    monkeypatch.setattr(database, "transaction", transaction)
    await topics.publish([record(opened(n), f"o{n}") for n in range(10)])

    async def tried_again() -> bool:
        return tried >= 3

    await until(tried_again, within=20, what="three attempts")
    assert await committed(topics) == 0
    monkeypatch.setattr(database, "transaction", real)

    async def done() -> bool:
        return await committed(topics) == 10

    await until(done, within=20, what="committed offsets")


async def committed(topics: TopicsUnderTest) -> int:
    """Count the records of the opening topic that the group has committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=topics.settings.kafka)
    await admin.start()
    try:
        topic, group = (topics.settings.topic_prefix + name for name in ("counter.opened", "counting"))
        partitions = [TopicPartition(topic, n) for n in range(4)]
        offsets = await admin.list_consumer_group_offsets(group, partitions=partitions)
        return sum(max(offset.offset, 0) for offset in offsets.values())
    finally:
        await admin.close()


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_records_of_every_compression_are_received(
    topics: TopicsUnderTest, consumer: Consumer, database: Database, compression: str
) -> None:
    """A batch that the client cannot decompress would be read again for ever, with everything behind it."""
    settings = topics.settings
    producer = Producer({"bootstrap.servers": settings.kafka, "compression.type": compression})
    for number in range(20):
        event = record(opened(number), f"o{number}")
        topic = settings.topic_prefix + event.topic
        producer.produce(topic, event.value, key=event.key, headers=list(event.headers))
    producer.flush()

    async def done() -> bool:
        return len(await counters(database)) == 20

    await until(done, within=20, what="20 counters")
