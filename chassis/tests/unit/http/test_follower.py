"""The reader of all streams of a process: an outage is waited for, a defect ends the streams, the last one stops it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from harness.deadline import eventually

from didflow_chassis.commit_order import Place
from didflow_chassis.database import Outage
from didflow_chassis.decision import Caller
from didflow_chassis.http import follower
from didflow_chassis.http.follower import End, Follower, Queue, Row, Rows

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Source:
    """A list of accounts in memory. `failures` are raised by the next reads."""

    def __init__(self) -> None:
        self.accounts: list[str] = []
        self.failures: list[Exception] = []
        self.reads = 0

    async def read(self, place: Place | None) -> Rows[str]:
        self.reads += 1
        if place is not None and self.failures:
            raise self.failures.pop()
        end = End(Place(0, len(self.accounts)), NOW)
        start = end.place.position if place is None else place.position
        rows = [Row(Place(0, n + 1), NOW, name) for n, name in enumerate(self.accounts) if n >= start]
        return Rows(rows, end, True)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    """A source that is read all the time."""
    monkeypatch.setattr(follower, "POLL_S", 0.0)
    return Source()


@pytest.fixture
async def reader(source: Source) -> AsyncIterator[Follower[str]]:
    """An open reader of the source."""
    made = Follower(source.read, lambda account: (account,))
    await made.open()
    yield made
    made.stop()


def queue(account: str, role: str = "reseller") -> Queue[str]:
    """Return the queue of a caller whom everything concerns."""
    caller = Caller(subject="ann", account=account, role=role)
    return Queue(caller, lambda _: True, asyncio.Event())


async def test_a_row_comes_to_its_account_to_those_above_and_to_operators(
    source: Source, reader: Follower[str]
) -> None:
    """Names that only begin alike are other accounts."""
    queues = {name: queue(name) for name in ("a", "a/b", "a/b/c", "a/bc", "a/x", "b")}
    queues["operator"] = queue("root", "operator")
    for each in queues.values():
        reader.add(each)
    source.accounts.append("a/b")

    async def has_come() -> bool:
        return len(queues["a/b"]) == 1

    await eventually(has_come)
    assert {name for name, each in queues.items() if len(each)} == {"a", "a/b", "operator"}


async def test_an_outage_is_waited_for(source: Source, reader: Follower[str]) -> None:
    """The streams stay open, and nothing is missed."""
    own = queue("a")
    reader.add(own)
    source.failures += [Outage("gone")] * 3
    source.accounts.append("a")

    async def has_come() -> bool:
        return len(own) == 1

    await eventually(has_come)
    assert not own.is_given_up


async def test_a_defect_ends_the_streams_and_the_next_one_starts_the_reader_again(
    source: Source, reader: Follower[str]
) -> None:
    """They do not wait for ever: each finds that the reader has stopped."""
    own: Any = queue("a")
    reader.add(own)
    source.failures.append(ValueError("a defect"))

    async def is_given_up() -> bool:
        return bool(own.is_given_up)

    await eventually(is_given_up)
    with pytest.raises(Outage):
        _ = reader.end
    await reader.open()
    assert reader.end.place == Place(0, 0)


async def test_the_last_stream_stops_the_reader(source: Source, reader: Follower[str]) -> None:
    """Without streams nothing is read."""
    await reader.open()
    reader.close()
    assert reader.end is not None
    reader.close()
    reads = source.reads
    for _ in range(5):
        await asyncio.sleep(0)
    assert source.reads == reads
