"""Fetch sessions: a request contains only what the broker does not know, and any error starts a new session."""

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
    """A client with scripted responses. `asked` contains the requests as they are sent."""

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
    """Return a fetch of partitions p0, p1, ... of topic `t`, with the offset of each."""
    partitions = [(int(name[1:]), offset, SIZE) for name, offset in offsets.items()]
    return FetchRequest(250, 1, SIZE * 64, 0, [("t", partitions)])


def named(request: Any) -> dict[int, int]:
    """Return the partitions of a request with their offsets."""
    return {one[0]: one[-3] for _, partitions in request.topics for one in partitions}


def session(request: Any) -> tuple[int, int]:
    return request.session_id, request.session_epoch


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def client(broker: Broker) -> SessionClient:
    return SessionClient(broker)


async def test_the_first_fetch_names_all_partitions_and_requests_a_session(broker, client) -> None:
    """Session 0 and epoch 0 request a session."""
    await client.send(0, fetch(p0=5, p1=6))
    assert session(broker.asked[0]) == (0, 0)
    assert named(broker.asked[0]) == {0: 5, 1: 6}


async def test_a_partition_that_the_broker_knows_is_not_named_again(broker, client) -> None:
    """Only partitions with a new offset are named."""
    for offsets in ({"p0": 5, "p1": 6}, {"p0": 5, "p1": 9}, {"p0": 5, "p1": 9}):
        await client.send(0, fetch(**offsets))
    assert [named(request) for request in broker.asked[1:]] == [{1: 9}, {}]
    assert [session(request) for request in broker.asked[1:]] == [(77, 1), (77, 2)]


async def test_a_partition_leaves_the_session_and_returns(broker, client) -> None:
    """A paused partition is removed from the session. When it is resumed, it is named with its offset."""
    for offsets in ({"p0": 5, "p1": 6}, {"p0": 5}, {"p0": 5, "p1": 6}):
        await client.send(0, fetch(**offsets))
    assert broker.asked[1].forgotten_topics_data == [("t", [1])]
    assert named(broker.asked[2]) == {1: 6}
    assert broker.asked[2].forgotten_topics_data == []


async def test_each_broker_has_its_own_session(broker, client) -> None:
    """A partition that one broker knows is named to another broker."""
    await client.send(0, fetch(p0=5))
    await client.send(1, fetch(p0=5))
    assert named(broker.asked[1]) == {0: 5}


async def test_a_broker_without_sessions_gets_all_partitions_each_time(broker, client) -> None:
    """A broker whose sessions are all in use answers without one. The next fetch requests one again."""
    broker.session_id = 0
    await client.send(0, fetch(p0=5))
    await client.send(0, fetch(p0=5))
    assert (session(broker.asked[1]), named(broker.asked[1])) == ((0, 0), {0: 5})


async def test_an_unknown_session_is_replaced(broker, client) -> None:
    """After a restart of the broker, the response is an error. The next fetch requests a new session."""
    await client.send(0, fetch(p0=5))
    broker.error_code = 70
    await client.send(0, fetch(p0=8))
    broker.error_code = 0
    await client.send(0, fetch(p0=8))
    assert (session(broker.asked[2]), named(broker.asked[2])) == ((0, 0), {0: 8})


@pytest.mark.parametrize("error", [KafkaConnectionError(), asyncio.CancelledError()])
async def test_a_fetch_without_a_response_ends_the_session(broker, client, error) -> None:
    """The broker may have processed it. The next fetch names the session, replaces it, and names all partitions."""
    await client.send(0, fetch(p0=5))
    broker.raises = error
    with pytest.raises(type(error)):
        await client.send(0, fetch(p0=8))
    broker.raises = None
    await client.send(0, fetch(p0=8))
    assert (session(broker.asked[2]), named(broker.asked[2])) == ((77, 0), {0: 8})


async def test_the_epoch_after_the_largest_one_is_one(broker, client) -> None:
    """Epoch 0 would request a new session, so 2**31 - 1 is followed by 1."""
    await client.send(0, fetch(p0=5))
    client._sessions[0].epoch = 2**31 - 1
    await client.send(0, fetch(p0=5))
    await client.send(0, fetch(p0=5))
    assert [session(request)[1] for request in broker.asked[1:]] == [2**31 - 1, 1]


async def test_an_old_broker_gets_all_partitions_each_time() -> None:
    """Before version 7 of the request there are no sessions."""
    broker = Broker(newest=6)
    client = SessionClient(broker)
    await client.send(0, fetch(p0=5))
    await client.send(0, fetch(p0=5))
    assert [named(request) for request in broker.asked] == [{0: 5}, {0: 5}]


async def test_other_requests_are_not_changed(broker, client) -> None:
    """Only fetches have sessions."""
    assert await client.send(0, MetadataRequest([])) == "something else"
    assert broker.asked == []
