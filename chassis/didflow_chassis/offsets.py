"""The consumer group's offsets: forward after the database commit, back after a failure.

An offset MUST be committed only after the database has the records before it. If a process dies in between, the
records are read again, and the inbox recognizes them. Nothing here waits inside the poll loop, so the member stays
in its group.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from didflow_chassis import failpoints

COMMIT_INTERVAL_S = 0.1
"""Minimum interval between commits while one batch follows another. An idle consumer commits at once."""
COMMIT_TIMEOUT_S = 10.0
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""How long partitions pause after a failure. Each consecutive failure takes the next one."""
_LOG = logging.getLogger(__name__)


class OffsetCommits:
    """Commits explicit offsets for each partition. `consumer` returns the running aiokafka consumer."""

    def __init__(self, consumer: Callable[[], Any]) -> None:
        self._consumer = consumer
        self._pending: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._waiting_since: float | None = None
        self._committing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Return True if the database has records whose offsets are not committed."""
        return bool(self._pending) or self._committing.locked()

    @property
    def waiting_s(self) -> float:
        """Return for how many seconds offsets have waited without any answer to a commit."""
        return time.monotonic() - self._waiting_since if self._waiting_since is not None else 0.0

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Add records that the database has."""
        self._waiting_since = self._waiting_since or time.monotonic()
        self._pending |= {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        if time.monotonic() - self._committed_at >= COMMIT_INTERVAL_S:
            self.commit_soon()

    def commit_soon(self) -> None:
        """Commit pending offsets without waiting for it."""
        if self._pending and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._commit_all())

    async def commit_now(self) -> None:
        """Commit pending offsets and wait for it. If no broker answers, return after `COMMIT_TIMEOUT_S`."""
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._commit_all()
        except TimeoutError:
            _LOG.warning("Offsets could not be committed. Repeats will be recognized")

    async def _commit_all(self) -> None:
        async with self._committing:
            while self._pending:
                offsets, self._pending = self._pending, {}
                await self._commit(offsets)

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        self._committed_at = time.monotonic()
        try:
            if assigned := offsets.keys() & self._consumer().assignment():
                await self._consumer().commit({partition: offsets[partition] for partition in assigned})
        except (KafkaError, IllegalStateError) as error:
            _LOG.info(
                "Offsets were not committed. Repeats will be recognized",
                extra={"error": type(error).__name__},
            )
        else:
            await failpoints.hit("consumer.committed")
        self._waiting_since = time.monotonic() if self._pending else None


class OffsetRewinds:
    """Seeks partitions back, pauses them, and resumes them later. `consumer` returns the running aiokafka consumer."""

    def __init__(self, consumer: Callable[[], Any]) -> None:
        self._consumer = consumer
        self._failures = 0
        self._resumes: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        """Start with the shortest pause again, because a batch succeeded."""
        self._failures = 0

    def stop(self) -> None:
        """Resume no more partitions."""
        for task in self._resumes:
            task.cancel()

    def rewind(self, records: Sequence[ConsumerRecord]) -> None:
        """Seek each partition back to its first record and pause it."""
        first: dict[TopicPartition, int] = {}
        for r in records:
            first.setdefault(TopicPartition(r.topic, r.partition), r.offset)
        paused = [partition for partition, offset in first.items() if self._seek(partition, offset)]
        if paused:
            pause = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
            self._failures += 1
            task = asyncio.create_task(self._resume(paused, pause))
            self._resumes.add(task)
            task.add_done_callback(self._resumes.discard)

    def _seek(self, partition: TopicPartition, offset: int) -> bool:
        try:
            self._consumer().seek(partition, offset)
            self._consumer().pause(partition)
        except (KafkaError, IllegalStateError):
            return False
        return True

    async def _resume(self, partitions: Sequence[TopicPartition], pause: float) -> None:
        await asyncio.sleep(pause)
        kafka = self._consumer()
        assigned = kafka.assignment() if kafka else ()
        for partition in partitions:
            if partition in assigned:
                kafka.resume(partition)
