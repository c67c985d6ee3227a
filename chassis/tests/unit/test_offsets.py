"""Offsets are committed after the batches, several batches at once. A commit that fails is not an error."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from didflow_chassis import offsets as offsets_module
from didflow_chassis.offsets import OffsetCommits

FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


class Group:
    """A consumer that records commits. While `open` is not set, a commit waits."""

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


async def test_the_offset_after_the_last_record_of_each_partition_is_committed(group, offsets) -> None:
    """There is one explicit offset for each partition: that of the next record to read."""
    offsets.add(batch((FIRST, 4), (FIRST, 5), (SECOND, 9)))
    await offsets.commit_now()
    assert group.commits == [{FIRST: 6, SECOND: 10}]
    assert not offsets.is_behind


async def test_a_batch_does_not_wait_for_its_offsets(group, offsets) -> None:
    """Batches continue during a commit. The next commit contains all of them."""
    group.open.clear()
    offsets.add(batch((FIRST, 0)))
    await asyncio.sleep(0)
    offsets.add(batch((FIRST, 1)))
    offsets.add(batch((SECOND, 7)))
    assert (group.commits, offsets.is_behind) == ([], True)
    group.open.set()
    await offsets.commit_now()
    assert group.commits == [{FIRST: 1}, {FIRST: 2, SECOND: 8}]


async def test_the_offset_of_a_partition_that_another_member_has_is_not_committed(group, offsets) -> None:
    """The offsets of other partitions are committed."""
    offsets.add(batch((FIRST, 0), (SECOND, 0)))
    group.assigned = {SECOND}
    await offsets.commit_now()
    assert group.commits == [{SECOND: 1}]


async def test_a_refused_commit_is_not_an_error(group, offsets) -> None:
    """The records are read again by another member, and the inbox recognizes them."""
    group.refuses = True
    offsets.add(batch((FIRST, 0)))
    await offsets.commit_now()
    assert (group.commits, offsets.is_behind) == ([], False)


async def test_stopping_does_not_wait_for_an_unreachable_broker(group, offsets, monkeypatch) -> None:
    """A commit without an answer ends after its timeout."""
    monkeypatch.setattr(offsets_module, "COMMIT_TIMEOUT_S", 0.01)
    group.open.clear()
    offsets.add(batch((FIRST, 0)))
    await offsets.commit_now()
    assert group.commits == []


async def test_a_commit_without_an_answer_is_noticed() -> None:
    """The time counts from the first offset that waits. An answer, also a refusal, ends it."""
    group = Group()
    commits = OffsetCommits(lambda: group)
    assert commits.waiting_s == 0
    group.open.clear()
    commits.add(batch((FIRST, 1)))
    await asyncio.sleep(0.01)
    assert commits.waiting_s > 0
    group.refuses = True
    group.open.set()
    await commits.commit_now()
    assert commits.waiting_s == 0
