"""The embedded Kafka stand-in, used with the client library of the services."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from confluent_kafka.admin import AdminClient

from didflow.embedded.kafka import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS, EmbeddedKafka

HEADERS = (("ce_id", b"1"), ("odd", b"\xff\xfe\x00"), ("empty", b""), ("ce_id", b"2"))


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedKafka]:
    """Return a new broker with two topics."""
    async with await EmbeddedKafka.start(["orders", "results"]) as started:
        yield started


@pytest.fixture
async def producer(broker: EmbeddedKafka) -> AsyncIterator[AIOKafkaProducer]:
    """Return a producer with the settings of the services."""
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True, max_request_size=2_097_152
    ) as started:
        yield started


def worker(broker: EmbeddedKafka) -> AIOKafkaConsumer:
    """Return a group member with the settings of the services."""
    return AIOKafkaConsumer(
        "orders",
        "results",
        bootstrap_servers=broker.bootstrap,
        group_id="inventory",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        partition_assignment_strategy=(RangePartitionAssignor,),
    )


async def read(consumer: AIOKafkaConsumer, count: int) -> list[ConsumerRecord]:
    """Read until this many records have arrived."""
    taken: list[ConsumerRecord] = []
    async with asyncio.timeout(15):
        while len(taken) < count:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                taken += records
    return taken


async def commit(consumer: AIOKafkaConsumer, records: list[ConsumerRecord]) -> None:
    """Commit the position after the last record of each partition."""
    await consumer.commit({TopicPartition(r.topic, r.partition): r.offset + 1 for r in records})


async def test_records_are_returned_byte_for_byte(broker: EmbeddedKafka, producer: AIOKafkaProducer) -> None:
    """Keys, values and headers that are not text, are absent or are repeated stay unchanged."""
    sent = [(b"\xff\x00", b"\xfe"), (None, b"value"), (b"key", None), (b"", b"")]
    for key, value in sent:
        await producer.send_and_wait("orders", value, key=key, headers=list(HEADERS), partition=3)
    async with worker(broker) as consumer:
        taken = await read(consumer, len(sent))
    assert [(record.key, record.value) for record in taken] == sent
    assert {tuple(record.headers) for record in taken} == {HEADERS}


async def test_the_broker_is_the_controller(broker: EmbeddedKafka) -> None:
    """KafkaJS asks the controller for the id of an idempotent producer. Without one, it finds no broker to ask."""
    metadata = await asyncio.to_thread(
        AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics, None, 10
    )
    assert list(metadata.brokers) == [metadata.controller_id]


async def test_topics_have_four_partitions_and_keys_choose_them_as_on_kafka(
    broker: EmbeddedKafka, producer: AIOKafkaProducer
) -> None:
    """In two topics, the records of a key are in the partition with the same number, in the order of sending."""
    assert await producer.partitions_for("orders") == set(range(4))
    for number in range(60):
        for topic in ("orders", "results"):
            await producer.send(topic, b"%d" % number, key=b"+3225550%d" % (number % 10))
    await producer.flush()
    async with worker(broker) as consumer:
        taken = await read(consumer, 120)
    places = {(record.key, record.partition) for record in taken}
    assert len(places) == 10
    for topic, key in {(record.topic, record.key) for record in taken}:
        mine = [int(r.value) for r in taken if (r.topic, r.key) == (topic, key)]
        assert mine == sorted(mine)


async def test_committed_offsets_outlive_their_consumer(
    broker: EmbeddedKafka, producer: AIOKafkaProducer
) -> None:
    """A worker that returns continues after the committed offsets. The first join does not wait."""
    await producer.send_and_wait("orders", b"done", partition=0)
    await producer.send_and_wait("orders", b"open", partition=0)
    async with worker(broker) as consumer:
        await commit(consumer, (await read(consumer, 2))[:1])
    async with worker(broker) as again:
        assert [record.value for record in await read(again, 1)] == [b"open"]


async def test_values_up_to_two_megabytes_pass(broker: EmbeddedKafka, producer: AIOKafkaProducer) -> None:
    """The largest allowed event fits."""
    value = bytes(2_000_000)
    await producer.send_and_wait("orders", value, partition=0)
    async with worker(broker) as consumer:
        assert (await read(consumer, 1))[0].value == value


async def test_a_partition_drops_its_oldest_records_beyond_five_megabytes(
    broker: EmbeddedKafka, producer: AIOKafkaProducer
) -> None:
    """Memory is bounded. A slow reader is not told what it missed."""
    for _ in range(8):
        await producer.send_and_wait("orders", bytes(1_000_000), partition=0)
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap) as reader:
        place = TopicPartition("orders", 0)
        assert (await reader.beginning_offsets([place]))[place] == 3
        assert (await reader.end_offsets([place]))[place] == 8


async def test_stopping_twice_is_no_error() -> None:
    """A signal and the end of a block can both stop the broker."""
    started = await EmbeddedKafka.start(["orders"])
    await started.stop()
    await started.stop()


async def test_all_topics_are_created_quickly() -> None:
    """Every topic of the contract exists within a moment, although the library loses wake-ups."""
    async with asyncio.timeout(0.9):
        broker = await EmbeddedKafka.start([f"topic{number}" for number in range(30)])
    await broker.stop()
