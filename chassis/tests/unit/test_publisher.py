"""What becomes of rows whose sending fails, stalls or is refused: they hold back what follows them and nothing else."""

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
    """Three records fit into it."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes, headers: Any) -> object | None:
        if len(self.values) == CAPACITY:
            return None
        self.values.append(value)
        return object()

    def close(self) -> None:
        """Nothing more is added after this: the outlets see to that."""

    def size(self) -> int:
        return sum(map(len, self.values))


class ScriptedProducer:
    """Takes what it is sent; the test answers `futures` by hand. `fails` says what a topic raises at once."""

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
    """A row as the driver gives it: found by name, and unpacked by its values."""

    def __iter__(self) -> Any:
        return iter(self.values())


@pytest.fixture
def producer() -> ScriptedProducer:
    return ScriptedProducer()


@pytest.fixture
def publisher(producer: ScriptedProducer) -> Publisher:
    return Publisher(producer)


def key(name: str) -> bytes:
    """A key of that name in the partition that its first letter says: `0k`, `0other`, `1k`."""
    partition = int(name[0])
    keys = (f"{name}{number}".encode() for number in count())
    return next(made for made in keys if partition_of(made, PARTITIONS) == partition)


def rows(*named: str) -> Rows:
    """Rows as `id topic key`, whose value is their id."""
    found = []
    for name in named:
        number, topic, of = name.split()
        value = number.encode()
        found.append(Row(id=int(number), topic=topic, key=key(of), value=value, headers=None))
    return found


async def after(publisher: Publisher, *named: str, more: Rows | None = None) -> list[int]:
    """Let rows leave, and return what is acknowledged when all has been done that can be."""
    await publisher.add(more or rows(*named))
    return await settled(publisher)


async def settled(publisher: Publisher) -> list[int]:
    """Return what is acknowledged when all has been done that can be, and delete it."""
    for _ in range(20):
        await asyncio.sleep(0)
    publisher.update()
    acknowledged = list(publisher.acknowledged)
    publisher.forget_acknowledged(len(acknowledged))
    return acknowledged


async def test_what_is_acknowledged_is_told(publisher: Publisher, producer: ScriptedProducer) -> None:
    """All ids; what has one topic and one partition leaves together, in order."""
    assert sorted(await after(publisher, "1 a 0k", "2 b 0k", "3 a 0k", "4 a 1k")) == [1, 2, 3, 4]
    assert sorted(producer.sent) == [[1, 3], [2], [4]]
    assert (publisher.in_progress, publisher.failed) == ([], 0)


async def test_what_follows_leaves_after_the_acknowledgement_of_what_is_ahead(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """In one partition one batch after another, each as soon as the one ahead of it is acknowledged."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k", "2 a 0k", "3 a 0k", "4 a 0other", "5 a 1k")
    await after(publisher, "6 a 0k")
    assert producer.sent == [[1, 2, 3], [5]]
    assert sorted(publisher.in_progress) == [1, 2, 3, 4, 5, 6]
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1, 2, 3]
    assert producer.sent == [[1, 2, 3], [5], [4, 6]]


async def test_what_is_unknown_is_not_sent_again_and_holds_back_its_partition(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent broker: the row waits, what follows is read again later; the late answer counts, and frees it."""
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


async def test_what_came_with_a_read_from_before_the_answer_is_passed_over(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read left out row 2, which is held; row 3 comes after it and MUST NOT leave, though all is answered now."""
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


async def test_room_is_for_what_is_answered(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More is read only while little is in hand; what a silent broker has does not count."""
    monkeypatch.setattr(publisher_module, "MAX_ROWS", 1)
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    assert publisher.has_room
    await after(publisher, "2 a 0k")
    assert not publisher.has_room
    monkeypatch.setattr(publisher_module, "LATE_S", -1)
    await settled(publisher)
    assert publisher.has_room


async def test_large_rows_take_the_room_of_many(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in hand is bounded in bytes, too."""
    monkeypatch.setattr(publisher_module, "MAX_BYTES", 1)
    await publisher.add(rows("1 a 0k", "2 a 1k"))
    assert not publisher.has_room


async def test_a_refused_batch_spends_the_producer_and_holds_its_keys(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """The number it should have had is missing for ever: the next producer knows what is held, and goes on."""
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


async def test_a_topic_that_refuses_the_producer_is_held_whole(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """What comes for it under other keys does not spend one producer after another."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    producer.futures[1].set_exception(TopicAuthorizationFailedError("a"))
    assert await settled(publisher) == []
    assert (publisher.must_be_replaced, publisher.held()) == (True, (["a"], []))


async def test_a_defect_in_the_sending_is_raised(publisher: Publisher, producer: ScriptedProducer) -> None:
    """It does not look like a broker that never answers."""
    producer.fails = {"a": TypeError("a defect")}
    with pytest.raises(TypeError):
        await after(publisher, "1 a 0k")


async def test_what_was_acknowledged_is_kept_until_it_is_deleted(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """Neither a session that ends before the delete nor another producer forgets it: it is not sent again."""
    await publisher.add(rows("1 a 0k", "2 a 0k"))
    for _ in range(20):
        await asyncio.sleep(0)
    publisher.drop_waiting()
    publisher.abandon()
    next_one = publisher.successor(ScriptedProducer())
    assert (next_one.in_progress, next_one.acknowledged) == ([1, 2], (1, 2))
    next_one.forget_acknowledged(1)
    assert next_one.in_progress == [2]


async def test_nothing_more_leaves_without_the_lease(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """What is on its way is waited for; what lay behind it is to be read again."""
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k")
    await after(publisher, "2 a 0k")
    publisher.drop_waiting()
    assert publisher.in_progress == [1]
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1]
    assert producer.sent == [[1]]


@pytest.mark.parametrize("error", [KafkaTimeoutError(), TopicAuthorizationFailedError("a"), AssertionError()])
async def test_a_topic_that_takes_nothing_is_passed_over(
    publisher: Publisher, producer: ScriptedProducer, error: Exception
) -> None:
    """The other topics' rows go on; the producer is as good as before."""
    producer.fails = {"a": error}
    assert await after(publisher, "1 a 0k", "2 b 0k", "3 a 1k") == [2]
    assert publisher.held() == (["a"], [])
    assert (publisher.must_be_replaced, publisher.in_progress, publisher.failed) == (False, [], 2)
    producer.fails = {}
    assert await after(publisher, "4 a 0k") == []


async def test_a_producer_that_fails_altogether_is_spent(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """It takes nothing of any topic: nothing is held for that, everything is read again."""
    producer.fails = {"a": ProducerFenced()}
    assert await after(publisher, "1 a 0k") == []
    assert (publisher.must_be_replaced, publisher.in_progress, publisher.held()) == (True, [], ([], []))


async def test_a_topic_in_which_very_much_waits_is_held_whole(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of what waits are bounded; the answer ends that hold, not a timer."""
    monkeypatch.setattr(publisher_module, "MAX_HELD_KEYS", 1)
    monkeypatch.setattr(publisher_module, "LATE_S", -1)
    producer.answers = lambda *_: False
    await after(publisher, "1 a 0k", "2 a 0other")
    assert publisher.held() == (["a"], [])
    producer.futures[1].set_result(None)
    assert await settled(publisher) == [1, 2]
    assert publisher.held() == ([], [])


async def test_an_unknown_topic_is_passed_over(publisher: Publisher, producer: ScriptedProducer) -> None:
    """Its rows wait in the outbox, whatever their keys."""
    producer.unknown = {"gone"}
    assert await after(publisher, "1 gone 0k", "2 gone 1k", "3 a 0k") == [3]
    assert publisher.held() == (["gone"], [])


async def test_a_row_that_can_never_be_sent_holds_its_key_only(
    publisher: Publisher, producer: ScriptedProducer
) -> None:
    """Too large for any request: its partition goes on, and the producer is as good as before."""
    large, *others = rows("1 a 0k", "2 a 0k", "3 a 0other")
    large["value"] = b"x" * 2_200_000
    assert await after(publisher, more=[large, *others]) == [3]
    assert (publisher.must_be_replaced, publisher.held()) == (False, ([], [("a", key("0k"))]))


async def test_a_row_that_says_nothing_is_held(publisher: Publisher) -> None:
    """Neither key nor value: no record."""
    (empty,) = rows("1 a 0k")
    empty.update(key=None, value=None)
    assert await after(publisher, more=[empty]) == []
    assert publisher.held() == ([], [("a", None)])


async def test_what_was_refused_is_tried_again_after_a_while(
    publisher: Publisher, producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold ends by itself."""
    monkeypatch.setattr(publisher_module, "HOLD_S", 0)
    (large,) = rows("1 a 0k")
    await after(publisher, more=[Row({**large, "value": b"x" * 2_200_000})])
    assert await after(publisher, more=[large]) == [1]


def test_keys_go_where_every_other_client_sends_them() -> None:
    """The partition of a key is the one that the client library chooses."""
    keys = [f"+44207{number:07d}".encode()[: number % 14] for number in range(500)]
    for partitions in ([0], list(range(12))):
        chosen = [partition_of(key, partitions) for key in keys]
        assert chosen == [DefaultPartitioner()(key, partitions, partitions) for key in keys]
    assert partition_of(None, [0, 1]) in {0, 1}
