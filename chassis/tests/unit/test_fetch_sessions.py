"""Fetches in sessions: what goes on the topics is what the broker does not know, and doubt begins a new session."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from didflow_chassis.kafka_internals.fetch_sessions import SessionClient

FETCH = 1
SIZE = 1_000


class Broker:
    """A client whose broker answers as it is told; `asked` are the requests as they go on the topics."""

    def __init__(self, newest: int = 11) -> None:
        self.newest = newest
        self.session_id, self.error_code = 77, 0
        self.raises: BaseException | None = None
        self.asked: list[Any] = []

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        if not isinstance(request, FetchRequest):
            return "something else"
        self.asked.append(request.prepare({FETCH: (4, self.newest)}))
        if self.raises is not None:
            raise self.raises
        return SimpleNamespace(
            API_VERSION=self.newest, error_code=self.error_code, session_id=self.session_id, topics=[]
        )


def fetch(**offsets: int) -> FetchRequest:
    """Ask for partitions of topic `t`, named p0, p1, ... with the offset of each."""
    partitions = [(int(name[1:]), offset, SIZE) for name, offset in offsets.items()]
    return FetchRequest(250, 1, SIZE * 64, 0, [("t", partitions)])


def named(request: Any) -> dict[int, int]:
    """The partitions that a request names, with their offsets."""
    return {one[0]: one[-3] for _, partitions in request.topics for one in partitions}


def session(request: Any) -> tuple[int, int]:
    return request.session_id, request.session_epoch


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def client(broker: Broker) -> SessionClient:
    return SessionClient(broker)


async def test_the_first_fetch_names_all_and_asks_for_a_session(broker, client) -> None:
    """Session 0, epoch 0, every partition: so the protocol opens a session."""
    await client.send(0, fetch(p0=5, p1=6))
    assert session(broker.asked[0]) == (0, 0)
    assert named(broker.asked[0]) == {0: 5, 1: 6}


async def test_what_the_broker_knows_is_not_named_again(broker, client) -> None:
    """Only the partition that moved is named; where none did, none is."""
    for offsets in ({"p0": 5, "p1": 6}, {"p0": 5, "p1": 9}, {"p0": 5, "p1": 9}):
        await client.send(0, fetch(**offsets))
    assert [named(request) for request in broker.asked[1:]] == [{1: 9}, {}]
    assert [session(request) for request in broker.asked[1:]] == [(77, 1), (77, 2)]


async def test_what_is_not_wanted_any_more_is_forgotten_and_named_when_it_is_wanted_again(
    broker, client
) -> None:
    """A paused or handed over partition leaves the session; it comes back with its offset, moved or not."""
    for offsets in ({"p0": 5, "p1": 6}, {"p0": 5}, {"p0": 5, "p1": 6}):
        await client.send(0, fetch(**offsets))
    assert broker.asked[1].forgotten_topics_data == [("t", [1])]
    assert named(broker.asked[2]) == {1: 6}
    assert broker.asked[2].forgotten_topics_data == []


async def test_each_broker_has_a_session_of_its_own(broker, client) -> None:
    """What one broker knows the other does not."""
    await client.send(0, fetch(p0=5))
    await client.send(1, fetch(p0=5))
    assert named(broker.asked[1]) == {0: 5}


async def test_a_broker_that_keeps_no_session_is_told_all_each_time(broker, client) -> None:
    """Its sessions may all be taken: it answers without one, and is asked for one again."""
    broker.session_id = 0
    await client.send(0, fetch(p0=5))
    await client.send(0, fetch(p0=5))
    assert (session(broker.asked[1]), named(broker.asked[1])) == ((0, 0), {0: 5})


async def test_a_session_that_the_broker_does_not_know_begins_anew(broker, client) -> None:
    """After a restart of the broker the answer is an error, and the next fetch is a first one."""
    await client.send(0, fetch(p0=5))
    broker.error_code = 70
    await client.send(0, fetch(p0=8))
    broker.error_code = 0
    await client.send(0, fetch(p0=8))
    assert (session(broker.asked[2]), named(broker.asked[2])) == ((0, 0), {0: 8})


@pytest.mark.parametrize("error", [KafkaConnectionError(), asyncio.CancelledError()])
async def test_a_fetch_without_an_answer_ends_the_session(broker, client, error) -> None:
    """Whether the broker took it is unknown: its session is named once more, to be replaced, with all partitions."""
    await client.send(0, fetch(p0=5))
    broker.raises = error
    with pytest.raises(type(error)):
        await client.send(0, fetch(p0=8))
    broker.raises = None
    await client.send(0, fetch(p0=8))
    assert (session(broker.asked[2]), named(broker.asked[2])) == ((77, 0), {0: 8})


async def test_the_count_of_fetches_begins_at_one_again_after_the_largest(broker, client) -> None:
    """Epoch 0 would open a session: the protocol's count goes from 2**31 - 1 to 1."""
    await client.send(0, fetch(p0=5))
    client._sessions[0].epoch = 2**31 - 1
    await client.send(0, fetch(p0=5))
    await client.send(0, fetch(p0=5))
    assert [session(request)[1] for request in broker.asked[1:]] == [2**31 - 1, 1]


async def test_an_old_broker_is_asked_as_ever() -> None:
    """Before version 7 there are no sessions: every fetch names all."""
    broker = Broker(newest=6)
    client = SessionClient(broker)
    await client.send(0, fetch(p0=5))
    await client.send(0, fetch(p0=5))
    assert [named(request) for request in broker.asked] == [{0: 5}, {0: 5}]


async def test_other_requests_go_through_untouched(broker, client) -> None:
    """Sessions are for fetches alone."""
    assert await client.send(0, MetadataRequest([])) == "something else"
    assert broker.asked == []
