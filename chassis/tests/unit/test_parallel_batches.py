"""The tracks: polls side by side, a key in its order, and nothing lost when one of them fails."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import pytest

from didflow.embedded.wait import until
from didflow_chassis.parallel_batches import SPLIT_FROM, TASKS, ParallelBatches, split


class Rec(NamedTuple):
    """As much of a record as tracks look at."""

    key: bytes
    offset: int


class Line:
    """Tracks with a stage that the test opens and breaks."""

    def __init__(self) -> None:
        self.taken: dict[bytes, list[int]] = defaultdict(list)
        self.reached: list[int] = []
        self.failed: list[list[int]] = []
        self.open = asyncio.Event()
        self.breaks: Callable[[Rec], bool] = lambda _: False
        self.most_at_once = self._at_once = 0
        self.tracks = ParallelBatches(self._through, self._note, self._fail)
        self.tracks.start()

    async def _through(self, records: Sequence[Any]) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await self.open.wait()
        await asyncio.sleep(0)
        self._at_once -= 1
        if any(map(self.breaks, records)):
            raise OSError("away")
        for record in records:
            self.taken[record.key].append(record.offset)

    def _note(self, records: Sequence[Any]) -> None:
        self.reached += [record.offset for record in records]

    def _fail(self, records: Sequence[Any], _error: Exception) -> None:
        self.failed.append([record.offset for record in records])

    async def send(self, records: Sequence[Any]) -> None:
        self.tracks.announce(records)
        await self.tracks.put(records)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    yield made
    made.open.set()
    await made.tracks.stop(nothing)


async def nothing() -> None:
    """Do nothing."""


def poll(first: int, count: int = SPLIT_FROM) -> list[Rec]:
    return [Rec(f"k{n % 7}".encode(), n) for n in range(first, first + count)]


async def test_large_polls_go_side_by_side_and_each_key_in_order(line: Line) -> None:
    """All tracks work at once; what was polled first is decided first for every key; all is reached, in order."""
    line.open.set()
    for number in range(20):
        await line.send(poll(number * SPLIT_FROM))
    await line.tracks.drain(nothing)
    assert all(offsets == sorted(offsets) for offsets in line.taken.values())
    assert line.reached == list(range(20 * SPLIT_FROM))
    assert line.most_at_once == TASKS


async def test_a_small_poll_goes_alone(line: Line) -> None:
    """It is not parted, and nothing runs beside it, whatever track its keys were on before."""
    line.open.set()
    for number in range(5):
        await line.send(poll(number * 10, 10))
    await line.tracks.drain(nothing)
    assert line.most_at_once == 1
    assert line.reached == list(range(50))


async def test_a_failure_gives_up_all_that_is_under_way(line: Line) -> None:
    """The poll on the tracks, the one behind it, and the one that waits for room; what comes then goes on."""
    polls = [poll(n * SPLIT_FROM) for n in range(4)]
    line.breaks = lambda record: record.offset < SPLIT_FROM
    await line.send(polls[0])
    await line.send(polls[1])
    waiting = asyncio.create_task(line.send(polls[2]))
    await asyncio.sleep(0)
    line.open.set()
    await waiting
    await line.tracks.drain(nothing)
    assert line.failed == [[record.offset for several in polls[:3] for record in several]]
    assert not line.reached
    await line.send(polls[3])
    await line.tracks.drain(nothing)
    assert line.reached == [record.offset for record in polls[3]]


async def test_a_poll_that_was_announced_when_a_track_failed_is_given_up_with_it(line: Line) -> None:
    """Between the poll and its handler a failure may come: the records are sought back, not skipped."""
    first, second = poll(0), poll(SPLIT_FROM)
    line.breaks = lambda record: record.offset < SPLIT_FROM
    await line.send(first)
    line.tracks.announce(second)
    line.open.set()
    await until(lambda: line.failed, within=5, what="a failure")
    await line.tracks.put(second)
    await line.tracks.drain(nothing)
    assert line.failed == [[record.offset for record in (*first, *second)]]
    assert not line.reached


async def test_what_was_polled_before_a_rebalance_and_not_begun_is_forgotten(line: Line) -> None:
    """Its partitions may be another member's by then; who has them reads from what was committed."""
    line.open.set()
    line.tracks.announce(poll(0))
    await line.tracks.drain(nothing)
    await line.tracks.put(poll(0))
    assert not line.taken
    assert not line.reached


async def test_after_the_end_nobody_waits(line: Line) -> None:
    """The framework may poll on while a worker stops: what it brings is dropped, and its handler returns."""
    line.open.set()
    await line.send(poll(0))
    await line.tracks.stop(nothing)
    for number in range(1, 4):
        await asyncio.wait_for(line.send(poll(number * SPLIT_FROM, 10)), timeout=1)
    assert line.reached == list(range(SPLIT_FROM))


def test_parts_keep_each_key_together() -> None:
    """A key has one track, wherever it comes."""
    tracks: dict[bytes, set[int]] = defaultdict(set)
    for track, part in split(poll(0, 200)):
        for record in part:
            tracks[record.key].add(track)
    assert all(len(found) == 1 for found in tracks.values())
