"""What becomes of rows whose sending fails, stalls or is refused: they hold back their own kind and nothing else."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from didflow_chassis import sending
from didflow_chassis.sending import Sending

Rows = list[dict[str, Any]]


class ScriptedProducer:
    """Takes what it is sent; the test answers `futures` by hand. `fails` says what a topic raises at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.futures: dict[tuple[str, bytes], asyncio.Future[Any]] = {}
        self.fails: dict[str, Exception] = {}
        self.unknown: set[str] = set()
        self.client = SimpleNamespace(cluster=self)
        self.answers: Callable[[str, bytes], bool] = lambda *_: True

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return None if topic in self.unknown else {0}

    async def partitions_for(self, topic: str) -> set[int]:
        raise UnknownTopicOrPartitionError

    async def send(self, topic: str, value: bytes, *, key: bytes, headers: Any) -> asyncio.Future[Any]:
        if topic in self.fails:
            raise self.fails[topic]
        self.sent.append((topic, value))
        future = self.futures[topic, value] = asyncio.get_running_loop().create_future()
        if self.answers(topic, value):
            future.set_result(None)
        return future


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.01)


@pytest.fixture
def producer() -> ScriptedProducer:
    return ScriptedProducer()


def rows(*named: str) -> Rows:
    """Rows as `id topic key`, whose value is their id."""
    made = []
    for name in named:
        number, topic, key = name.split()
        made.append(
            {
                "id": int(number),
                "topic": topic,
                "key": key.encode(),
                "value": number.encode(),
                "headers": None,
            }
        )
    return made


async def test_what_is_acknowledged_is_told(producer: ScriptedProducer) -> None:
    """All ids, in the order sent."""
    assert await Sending(producer).send(rows("1 a k", "2 b k", "3 a k")) == [1, 2, 3]


async def test_what_is_unknown_is_not_sent_again_and_holds_back_its_key(producer: ScriptedProducer) -> None:
    """A silent broker: the row waits, its successor is not sent, another key is; the late answer counts."""
    made = Sending(producer)
    producer.answers = lambda _, value: value != b"1"
    assert await made.send(rows("1 a k", "2 a other")) == [2]
    assert made.held() == ([], [("a", b"k")])
    assert await made.send(rows("1 a k", "3 a k", "4 b k")) == [4]
    assert [value for _, value in producer.sent] == [b"1", b"2", b"4"]
    producer.futures["a", b"1"].set_result(None)
    assert await made.send(rows("3 a k")) == [1]
    assert await made.send(rows("3 a k")) == [3]


async def test_a_wave_does_not_wait_for_what_is_stuck_from_before(
    producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience is for the rows of the wave; those that no wave waits for any more cost the next ones nothing."""
    made = Sending(producer)
    producer.answers = lambda topic, _: topic != "stuck"
    await made.send(rows("1 stuck k"))
    monkeypatch.setattr(sending, "PATIENCE_S", 60)
    async with asyncio.timeout(5):
        assert await made.send(rows("2 a k")) == [2]


async def test_a_refused_batch_spends_the_producer_and_holds_its_key(producer: ScriptedProducer) -> None:
    """The number it should have had is missing for ever: the next producer knows what is held, and goes on."""
    made = Sending(producer)
    producer.answers = lambda *_: False
    sent = asyncio.create_task(made.send(rows("1 a k", "2 a k", "3 b k")))
    await asyncio.sleep(0)
    producer.futures["a", b"1"].set_exception(TopicAuthorizationFailedError("a"))
    producer.futures["a", b"2"].set_result(None)
    producer.futures["b", b"3"].set_result(None)
    assert await sent == [3]
    assert made.is_spent
    after = made.succeeded_by(ScriptedProducer())
    assert (after.is_spent, after.held()) == (False, ([], [("a", b"k")]))


@pytest.mark.parametrize("error", [KafkaTimeoutError(), TopicAuthorizationFailedError("a")])
async def test_a_topic_that_takes_nothing_is_passed_over(
    producer: ScriptedProducer, error: Exception
) -> None:
    """One try for all of its rows, and the other topics' rows go on."""
    made = Sending(producer)
    producer.fails = {"a": error}
    assert await made.send(rows("1 a k", "2 b k", "3 a other")) == [2]
    assert made.held() == (["a"], [])
    assert not made.is_spent


async def test_a_full_topic_is_taken_up_as_soon_as_it_is_answered(producer: ScriptedProducer) -> None:
    """Nothing more fits while what is there waits: its answer ends the hold, not a timer."""
    made = Sending(producer)
    producer.answers = lambda *_: False
    await made.send(rows("1 a k"))
    producer.fails = {"a": KafkaTimeoutError()}
    await made.send(rows("2 a other"))
    assert made.held() == (["a"], [("a", b"k")])
    producer.futures["a", b"1"].set_result(None)
    assert made.settled() == [1]
    assert made.held() == ([], [])


async def test_an_unknown_topic_is_passed_over(producer: ScriptedProducer) -> None:
    """Its rows wait in the outbox, whatever their keys."""
    made = Sending(producer)
    producer.unknown = {"gone"}
    assert await made.send(rows("1 gone k", "2 gone other", "3 a k")) == [3]
    assert made.held() == (["gone"], [])


@pytest.mark.parametrize("error", [MessageSizeTooLargeError(), AssertionError()])
async def test_a_row_that_can_never_be_sent_holds_its_key_only(
    producer: ScriptedProducer, error: Exception
) -> None:
    """The client refuses it before it is sent: its topic goes on, and the producer is as good as before."""
    made = Sending(producer)
    producer.fails = {"a": error}
    await made.send(rows("1 a k"))
    producer.fails = {}
    assert await made.send(rows("2 a k", "3 a other")) == [3]
    assert (made.is_spent, made.held()) == (False, ([], [("a", b"k")]))


async def test_what_was_refused_is_tried_again_after_a_while(
    producer: ScriptedProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold ends by itself."""
    monkeypatch.setattr(sending, "HOLD_S", 0)
    made = Sending(producer)
    producer.fails = {"a": MessageSizeTooLargeError()}
    await made.send(rows("1 a k"))
    producer.fails = {}
    assert await made.send(rows("1 a k")) == [1]
