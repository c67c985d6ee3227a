"""Goes back to where records began that could not be taken, and lets them come again after a while.

The pause is a timer's: nobody waits in the consumer's loop, so the member stays in its group.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

RESUME_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""How long partitions pause: longer with each failure that follows another."""


class Rewinding:
    """Seeks, pauses and resumes partitions. `consumer` gives the running aiokafka consumer."""

    def __init__(self, consumer: Callable[[], Any]) -> None:
        self._consumer = consumer
        self._failures = 0
        self._resumes: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """All is well again: the next pause is a short one."""
        self._failures = 0

    def stop(self) -> None:
        """Resume nothing any more."""
        for task in self._resumes:
            task.cancel()

    def back(self, records: Sequence[ConsumerRecord], *, at_length: bool = False) -> None:
        """Seek every partition of these records to where they begin, and pause it; for the longest, `at_length`."""
        first: dict[TopicPartition, int] = {}
        for r in records:
            first.setdefault(TopicPartition(r.topic, r.partition), r.offset)
        held = [partition for partition, offset in first.items() if self._seek(partition, offset)]
        if at_length:
            self._failures = len(RESUME_S)
        if held:
            wait = RESUME_S[min(self._failures, len(RESUME_S) - 1)]
            self._failures += 1
            task = asyncio.create_task(self._resume(held, wait))
            self._resumes.add(task)
            task.add_done_callback(self._resumes.discard)

    def _seek(self, partition: TopicPartition, offset: int) -> bool:
        try:
            self._consumer().seek(partition, offset)
            self._consumer().pause(partition)
        except (KafkaError, IllegalStateError):
            return False
        return True

    async def _resume(self, partitions: Sequence[TopicPartition], wait: float) -> None:
        await asyncio.sleep(wait)
        kafka = self._consumer()
        assigned = kafka.assignment() if kafka else ()
        for partition in partitions:
            if partition in assigned:
                kafka.resume(partition)
