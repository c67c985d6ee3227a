"""Tells the group how far the database is, behind the batches: nobody waits for it, and several may go in one.

MUST be told of a batch only once the database has it. Who dies before the group knows reads records again, and the
inbox knows those.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from didflow_chassis import failpoints

BUSY_S = 0.1
"""While one batch follows another the group is told so often; in a pause at once."""
PATIENCE_S = 10.0
_LOG = logging.getLogger(__name__)


class Committing:
    """Commits what was reached, explicitly, for each partition. `consumer` gives the running aiokafka consumer."""

    def __init__(self, consumer: Callable[[], Any]) -> None:
        self._consumer = consumer
        self._reached: dict[TopicPartition, int] = {}
        self._told_at = 0.0
        self._telling = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether there is something that was reached and not told."""
        return bool(self._reached) or self._telling.locked()

    def reached(self, records: Sequence[ConsumerRecord]) -> None:
        """Take note of a batch that the database has."""
        self._reached |= {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        if time.monotonic() - self._told_at >= BUSY_S:
            self.soon()

    def soon(self) -> None:
        """Tell what is not told yet, without waiting for it."""
        if self._reached and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._tell_all())

    async def now(self) -> None:
        """Tell all that was reached, and wait for it: for a while, where no broker answers."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._tell_all()
        except TimeoutError:
            _LOG.warning("offsets could not be committed; the inbox knows repeats")

    async def _tell_all(self) -> None:
        async with self._telling:
            while self._reached:
                reached, self._reached = self._reached, {}
                await self._tell(reached)

    async def _tell(self, reached: dict[TopicPartition, int]) -> None:
        self._told_at = time.monotonic()
        try:
            if mine := reached.keys() & self._consumer().assignment():
                await self._consumer().commit({partition: reached[partition] for partition in mine})
        except (KafkaError, IllegalStateError) as error:
            _LOG.info(
                "offsets were not committed; the inbox knows repeats", extra={"error": type(error).__name__}
            )
        else:
            await failpoints.hit("consumer.committed")
