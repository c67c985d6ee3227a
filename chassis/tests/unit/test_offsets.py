"""Offsets behind the batches: what was reached is told, several batches at once, and what cannot be is no error."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from didflow_chassis import offsets as offsets_module
from didflow_chassis.offsets import OffsetCommits

FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


class Group:
    """A consumer that keeps what is committed, one at a time, when it is let through."""

    def __init__(self) -> None:
        self.assigned = {FIRST, SECOND}
        self.commits: list[dict[TopicPartition, int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.refuses = False

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        await self.open.wait()
        if self.refuses:
            raise CommitFailedError
        self.commits.append(offsets)


def batch(*places: tuple[TopicPartition, int]):
    return [SimpleNamespace(topic=p.topic, partition=p.partition, offset=offset) for p, offset in places]


@pytest.fixture
async def group() -> Group:
    return Group()


@pytest.fixture
async def offsets(group: Group) -> OffsetCommits:
    return OffsetCommits(lambda: group)


async def test_the_group_is_told_the_offset_after_the_last_of_each_partition(group, offsets) -> None:
    """One explicit offset for each partition: the next to read."""
    offsets.add(batch((FIRST, 4), (FIRST, 5), (SECOND, 9)))
    await offsets.commit_now()
    assert group.commits == [{FIRST: 6, SECOND: 10}]
    assert not offsets.is_behind


async def test_a_batch_does_not_wait_for_its_offsets(group, offsets) -> None:
    """While a commit is under way more batches are taken; the next commit has all of them."""
    group.open.clear()
    offsets.add(batch((FIRST, 0)))
    await asyncio.sleep(0)
    offsets.add(batch((FIRST, 1)))
    offsets.add(batch((SECOND, 7)))
    assert (group.commits, offsets.is_behind) == ([], True)
    group.open.set()
    await offsets.commit_now()
    assert group.commits == [{FIRST: 1}, {FIRST: 2, SECOND: 8}]


async def test_a_partition_that_went_to_another_member_is_left_to_it(group, offsets) -> None:
    """Its offset is not told, and does not keep the others from being told."""
    offsets.add(batch((FIRST, 0), (SECOND, 0)))
    group.assigned = {SECOND}
    await offsets.commit_now()
    assert group.commits == [{SECOND: 1}]


async def test_a_group_that_has_moved_on_is_no_error(group, offsets) -> None:
    """A refused commit is given up: the records come again elsewhere, and the inbox knows them."""
    group.refuses = True
    offsets.add(batch((FIRST, 0)))
    await offsets.commit_now()
    assert (group.commits, offsets.is_behind) == ([], False)


async def test_stopping_does_not_wait_for_a_broker_that_is_gone(group, offsets, monkeypatch) -> None:
    """A commit that finds no broker is given up after a while."""
    monkeypatch.setattr(offsets_module, "COMMIT_TIMEOUT_S", 0.01)
    group.open.clear()
    offsets.add(batch((FIRST, 0)))
    await offsets.commit_now()
    assert group.commits == []
