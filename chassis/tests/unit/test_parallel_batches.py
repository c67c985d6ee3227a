"""Parallel batches: each key keeps its order, and no record is lost if a batch fails."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import pytest

from didflow.embedded.wait import until
from didflow_chassis.parallel_batches import SPLIT_FROM, TASKS, ParallelBatches, split


class Rec(NamedTuple):
    """The fields of a record that matter here."""

    key: bytes
    offset: int


class Pipeline:
    """Parallel batches with a stage that the test opens and makes fail."""

    def __init__(self) -> None:
        self.decided: dict[bytes, list[int]] = defaultdict(list)
        self.completed: list[int] = []
        self.failed: list[list[int]] = []
        self.is_open = asyncio.Event()
        self.fails: Callable[[Rec], bool] = lambda _: False
        self.most_at_once = self._at_once = 0
        self.batches = ParallelBatches(self._decide, self._note, self._fail)
        self.batches.start()

    async def _decide(self, records: Sequence[Any]) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await self.is_open.wait()
        await asyncio.sleep(0)
        self._at_once -= 1
        if any(map(self.fails, records)):
            raise OSError("away")
        for record in records:
            self.decided[record.key].append(record.offset)

    def _note(self, records: Sequence[Any]) -> None:
        self.completed += [record.offset for record in records]

    def _fail(self, records: Sequence[Any], _error: Exception) -> None:
        self.failed.append([record.offset for record in records])

    async def send(self, records: Sequence[Any]) -> None:
        self.batches.announce(records)
        await self.batches.put(records)


@pytest.fixture
async def pipeline() -> AsyncIterator[Pipeline]:
    made = Pipeline()
    yield made
    made.is_open.set()
    await made.batches.stop(nothing)


async def nothing() -> None:
    """Do nothing."""


def poll(first: int, count: int = SPLIT_FROM) -> list[Rec]:
    return [Rec(f"k{n % 7}".encode(), n) for n in range(first, first + count)]


async def test_large_polls_run_in_parallel_and_each_key_in_order(pipeline: Pipeline) -> None:
    """All tasks work at the same time. For each key, earlier records are decided first. Polls complete in order."""
    pipeline.is_open.set()
    for number in range(20):
        await pipeline.send(poll(number * SPLIT_FROM))
    await pipeline.batches.drain(nothing)
    assert all(offsets == sorted(offsets) for offsets in pipeline.decided.values())
    assert pipeline.completed == list(range(20 * SPLIT_FROM))
    assert pipeline.most_at_once == TASKS


async def test_a_small_poll_runs_alone(pipeline: Pipeline) -> None:
    """It is not split, and no other batch runs beside it."""
    pipeline.is_open.set()
    for number in range(5):
        await pipeline.send(poll(number * 10, 10))
    await pipeline.batches.drain(nothing)
    assert pipeline.most_at_once == 1
    assert pipeline.completed == list(range(50))


async def test_a_failure_rewinds_all_records_in_progress(pipeline: Pipeline) -> None:
    """These are the running poll, the next one, and the one that waits for room. A later poll is processed."""
    polls = [poll(n * SPLIT_FROM) for n in range(4)]
    pipeline.fails = lambda record: record.offset < SPLIT_FROM
    await pipeline.send(polls[0])
    await pipeline.send(polls[1])
    waiting = asyncio.create_task(pipeline.send(polls[2]))
    await asyncio.sleep(0)
    pipeline.is_open.set()
    await waiting
    await pipeline.batches.drain(nothing)
    assert pipeline.failed == [[record.offset for several in polls[:3] for record in several]]
    assert not pipeline.completed
    await pipeline.send(polls[3])
    await pipeline.batches.drain(nothing)
    assert pipeline.completed == [record.offset for record in polls[3]]


async def test_an_announced_poll_is_rewound_with_a_batch_that_fails(pipeline: Pipeline) -> None:
    """A failure can come between a poll and its handler. The records are rewound, not skipped."""
    first, second = poll(0), poll(SPLIT_FROM)
    pipeline.fails = lambda record: record.offset < SPLIT_FROM
    await pipeline.send(first)
    pipeline.batches.announce(second)
    pipeline.is_open.set()
    await until(lambda: pipeline.failed, within=5, what="a failure")
    await pipeline.batches.put(second)
    await pipeline.batches.drain(nothing)
    assert pipeline.failed == [[record.offset for record in (*first, *second)]]
    assert not pipeline.completed


async def test_a_poll_that_did_not_start_before_a_rebalance_is_dropped(pipeline: Pipeline) -> None:
    """Another member may have its partitions. It reads from the committed offsets."""
    pipeline.is_open.set()
    pipeline.batches.announce(poll(0))
    await pipeline.batches.drain(nothing)
    await pipeline.batches.put(poll(0))
    assert not pipeline.decided
    assert not pipeline.completed


async def test_a_poll_after_the_stop_returns_at_once(pipeline: Pipeline) -> None:
    """FastStream may poll while a worker stops. Its records are dropped, and the handler returns."""
    pipeline.is_open.set()
    await pipeline.send(poll(0))
    await pipeline.batches.stop(nothing)
    for number in range(1, 4):
        await asyncio.wait_for(pipeline.send(poll(number * SPLIT_FROM, 10)), timeout=1)
    assert pipeline.completed == list(range(SPLIT_FROM))


def test_all_records_of_a_key_have_the_same_task() -> None:
    """The position in the poll does not matter."""
    tasks: dict[bytes, set[int]] = defaultdict(set)
    for task, batch in split(poll(0, 200)):
        for record in batch:
            tasks[record.key].add(task)
    assert all(len(found) == 1 for found in tasks.values())
