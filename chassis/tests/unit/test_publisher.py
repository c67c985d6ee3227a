"""Rows whose sending fails, is late or is refused hold back later rows of their partition, key or topic only."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import DefaultPartitioner

from didflow_chassis import publisher as publisher_module
from didflow_chassis.publisher import Publisher, partition_of

Rows = list[dict[str, Any]]
PARTITIONS = range(4)
CAPACITY = 3


class ScriptedBatch:
    """A batch for three records."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes, headers: Any) -> object | None:
        if len(self.values) == CAPACITY:
            return None
        self.values.append(value)
        return object()

    def close(self) -> None:
        """No record is added after this."""

    def size(self) -> int:
        return sum(map(len, self.values))


class ScriptedProducer:
    """A producer whose `futures` the test completes. `fails` has the exception that a topic raises at once."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []
        self.futures: dict[int, asyncio.Future[Any]] = {}
        self.fails: dict[str, Exception] = {}
        self.unknown: set[str] = set()
        self.answers: Callable[[str, int], bool] = lambda *_: True

    async def partitions_for(self, topic: str) -> set[int]:
        if topic in self.unknown:
            raise UnknownTopicOrPartitionError
        return set(PARTITIONS)

    def create_batch(self) -> ScriptedBatch:
        return ScriptedBatch()

    async def send_batch(self, batch: ScriptedBatch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        if topic in self.fails:
            raise self.fails[topic]
        ids = [int(value) for value in batch.values]
        self.sent.append(ids)
        future = self.futures[ids[0]] = asyncio.get_running_loop().create_future()
        if self.answers(topic, partition):
            future.set_result(None)
        return future


class Row(dict[str, Any]):
    """A row like the driver's: indexed by name, unpacked by value."""

    def __iter__(self) -> Any:
        return iter(self.values())


@pytest.fixture
def producer() -> ScriptedProducer:
    return ScriptedProducer()


@pytest.fixture
def publisher(producer: ScriptedProducer) -> Publisher:
    return Publisher(producer)


def key(name: str) -> bytes:
    """Return a key with this name. Its first character is its partition: `0k`, `0other`, `1k`."""
    partition = int(name[0])
    keys = (f"{name}{number}".encode() for number in count())
    return next(made for made in keys if partition_of(made, PARTITIONS) == partition)


def rows(*named: str) -> Rows:
    """Return rows that are written `id topic key`. The value of a row is its id."""
    found = []
    for name in named:
        number, topic, of = name.split()
        value = number.encode()
        found.append(Row(id=int(number), topic=topic, key=key(of), value=value, headers=None))
    return found


async def after(publisher: Publisher, *named: str, more: Rows | None = None) -> list[int]:
    """Send rows, and return the ids that are acknowledged when nothing more can be done."""
    await publisher.add(more or rows(*named))
    return await settled(publisher)


async def settled(publisher: Publisher) -> list[int]:
    """Return the ids that are acknowledged when nothing more can be done, and delete their rows."""
    for _ in range(20):
        await asyncio.sleep(0)
    publisher.update()
    acknowledged = list(publisher.acknowledged)
    publisher.forget_acknowledged(len(acknowledged))
    return acknowledged


async def test_the_ids_of_acknowledged_rows_are_returned(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """Rows of one topic and partition are sent together, in order."""
    assert sorted(await after(publisher, "1 a 0k", "2 b 0k", "3 a 0k", "4 a 1k")) == [1, 2, 3, 4]
    assert sorted(producer.sent) == [[1, 3], [2], [4]]
    assert (publisher.in_progress, publisher.failed) == ([], 0)


async def test_a_batch_is_sent_after_the_one_ahead_is_acknowledged(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """In each partition, at most one batch is being sent."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k", "2 a 0k", "3 a 0k", "4 a 0other", "5 a 1k")
    await after(publisher, "6 a 0k")
    assert producer.sent == [[1, 2, 3], [5]]
    assert sorted(publisher.in_progress) == [1, 2, 3, 4, 5, 6]
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1, 2, 3]
    assert producer.sent == [[1, 2, 3], [5], [4, 6]]


async def test_a_late_batch_is_not_sent_again_and_holds_back_its_partition(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later rows of the partition are read again after the late response."""
    producer.answers = lambda topic, partition: (topic, partition) != ("a", 0)
    await after(publisher, "1 a 0k")
    await after(publisher, "2 a 0other")
    monkeypatch.setattr(publisher_module, "LATE_S", -1)
    assert await after(publisher, "3 a 1k") == [3]
    assert publisher.in_progress == [1]
    assert set(publisher.held()[1]) == {("a", key("0k")), ("a", key("0other"))}
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1]
    assert publisher.held() == ([], [])
    assert producer.sent == [[1], [3]]


async def test_a_row_from_a_read_before_the_response_is_held_back(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read left out row 2, so row 3 MUST NOT be sent, although the batch ahead of both is acknowledged now."""
    monkeypatch.setattr(publisher_module, "LATE_S", -1)
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    assert publisher.held() == ([], [("a", key("0k"))])
    producer.futures[1].set_result(None)
    await asyncio.sleep(0)
    await publisher.add(rows("3 a 0other"))
    assert set(publisher.held()[1]) == {("a", key("0k")), ("a", key("0other"))}
    producer.answers = lambda *_: True
    assert await settled(publisher) == [1]
    assert await after(publisher, "2 a 0k", "3 a 0other") == [2, 3]
    assert producer.sent == [[1], [2, 3]]


async def test_late_batches_do_not_count_for_the_room(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows are read only while few are in progress."""
    monkeypatch.setattr(publisher_module, "MAX_ROWS", 1)
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    assert publisher.has_room
    await after(publisher, "2 a 0k")
    assert not publisher.has_room
    monkeypatch.setattr(publisher_module, "LATE_S", -1)
    await settled(publisher)
    assert publisher.has_room


async def test_the_room_is_limited_in_bytes(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few large rows use all of it."""
    monkeypatch.setattr(publisher_module, "MAX_BYTES", 1)
    await publisher.add(rows("1 a 0k", "2 a 1k"))
    assert not publisher.has_room


async def test_after_a_refused_batch_the_producer_is_replaced_and_its_keys_are_held(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """An idempotent producer would miss a sequence number forever. The next one keeps the holds."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k", "2 a 0k", "3 b 0k")
    await after(publisher, "4 a 0other")
    producer.futures[1].set_exception(MessageSizeTooLargeError())
    producer.futures[3].set_result(None)
    assert await settled(publisher) == [3]
    assert publisher.must_be_replaced
    assert publisher.failed == 2
    other = ScriptedProducer()
    next_one = publisher.successor(other)
    assert (next_one.must_be_replaced, next_one.held()) == (False, ([], [("a", key("0k"))]))
    assert await after(next_one, "4 a 0other", "5 a 0k") == [4]
    assert (producer.sent, other.sent) == ([[1, 2], [3]], [[4]])


async def test_a_topic_that_refuses_the_producer_is_held_completely(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """Rows with other keys do not make another producer unusable."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    producer.futures[1].set_exception(TopicAuthorizationFailedError("a"))
    assert await settled(publisher) == []
    assert (publisher.must_be_replaced, publisher.held()) == (True, (["a"], []))


async def test_a_bug_is_raised(publisher: Publisher, producer: ScriptedProducer) -> None:
    """It is not taken for a broker that does not respond."""
    producer.fails = {"a": TypeError("a defect")}
    with pytest.raises(TypeError):
        await after(publisher, "1 a 0k")


async def test_acknowledged_ids_are_kept_until_their_rows_are_deleted(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """The rows are not sent again after the end of a session or with another producer."""
    await publisher.add(rows("1 a 0k", "2 a 0k"))
    for _ in range(20):
        await asyncio.sleep(0)
    publisher.drop_waiting()
    publisher.abandon()
    next_one = publisher.successor(ScriptedProducer())
    assert (next_one.in_progress, next_one.acknowledged) == ([1, 2], (1, 2))
    next_one.forget_acknowledged(1)
    assert next_one.in_progress == [2]


async def test_waiting_rows_are_not_sent_without_the_lease(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """The current batch is awaited. The rows behind it are read again."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    await after(publisher, "2 a 0k")
    publisher.drop_waiting()
    assert publisher.in_progress == [1]
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1]
    assert producer.sent == [[1]]


@pytest.mark.parametrize("error", [KafkaTimeoutError(), TopicAuthorizationFailedError("a"), AssertionError()])
async def test_a_topic_that_cannot_be_written_is_held(
    publisher: Publisher, producer: ScriptedProducer, error: Exception
) -> None:
    """Rows of other topics are sent, and the producer stays usable."""
    producer.fails = {"a": error}
    assert await after(publisher, "1 a 0k", "2 b 0k", "3 a 1k") == [2]
    assert publisher.held() == (["a"], [])
    assert (publisher.must_be_replaced, publisher.in_progress, publisher.failed) == (False, [], 2)
    producer.fails = {}
    assert await after(publisher, "4 a 0k") == []


async def test_a_producer_that_cannot_send_at_all_is_replaced(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """Nothing is held, and all rows are read again."""
    producer.fails = {"a": ProducerFenced()}
    assert await after(publisher, "1 a 0k") == []
    assert (publisher.must_be_replaced, publisher.in_progress, publisher.held()) == (True, [], ([], []))


async def test_a_topic_with_very_many_held_keys_is_held_completely(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of held keys is limited. The response ends this hold, not a timer."""
    monkeypatch.setattr(publisher_module, "MAX_HELD_KEYS", 1)
    monkeypatch.setattr(publisher_module, "LATE_S", -1)
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k", "2 a 0other")
    assert publisher.held() == (["a"], [])
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1, 2]
    assert publisher.held() == ([], [])


async def test_an_unknown_topic_is_held(publisher: Publisher, producer: ScriptedProducer) -> None:
    """All its rows wait in the outbox."""
    producer.unknown = {"gone"}
    assert await after(publisher, "1 gone 0k", "2 gone 1k", "3 a 0k") == [3]
    assert publisher.held() == (["gone"], [])


async def test_a_row_that_is_too_large_holds_its_key_only(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """Other rows of its partition are sent, and the producer stays usable."""
    large, *others = rows("1 a 0k", "2 a 0k", "3 a 0other")
    large["value"] = b"x" * 2_200_000
    assert await after(publisher, more=[large, *others]) == [3]
    assert (publisher.must_be_replaced, publisher.held()) == (False, ([], [("a", key("0k"))]))


async def test_an_empty_row_is_held(publisher: Publisher) -> None:
    """A row without key and value is not a record."""
    (empty,) = rows("1 a 0k")
    empty.update(key=None, value=None)
    assert await after(publisher, more=[empty]) == []
    assert publisher.held() == ([], [("a", None)])


async def test_a_refused_row_is_tried_again_after_a_while(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold ends after `HOLD_S`."""
    monkeypatch.setattr(publisher_module, "HOLD_S", 0)
    (large,) = rows("1 a 0k")
    await after(publisher, more=[Row({**large, "value": b"x" * 2_200_000})])
    assert await after(publisher, more=[large]) == [1]


def test_a_key_has_the_partition_that_every_client_chooses() -> None:
    """It is the partition that aiokafka's partitioner chooses."""
    keys = [f"+44207{number:07d}".encode()[: number % 14] for number in range(500)]
    for partitions in ([0], list(range(12))):
        chosen = [partition_of(key, partitions) for key in keys]
        assert chosen == [DefaultPartitioner()(key, partitions, partitions) for key in keys]
    assert partition_of(None, [0, 1]) in {0, 1}
