"""The rows that wait to be sent to one Kafka partition, in batches. One batch is sent after another.

A batch MUST NOT be sent before the one ahead of it is acknowledged, so that rows stay in order whatever happens.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from didflow_chassis import failpoints

Key = bytes | None
Headers = list[tuple[str, bytes | None]]


@dataclass(slots=True)
class ProducerBatch:
    """Rows that are sent together: their serialized records, ids and keys."""

    builder: Any
    ids: list[int] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    def add(self, row_id: int, key: Key, value: bytes | None, headers: Headers) -> bool:
        """Add a row, or return False if the batch is full. The first row always fits."""
        if self.builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
            return False
        self.ids.append(row_id)
        self.keys.append(key)
        return True


class PartitionQueue:
    """The batches of one partition: at most one is being sent, and the others wait in order.

    The ids of acknowledged rows are appended to `acknowledged`. `notify` is called after every response.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        partition: int,
        acknowledged: list[int],
        notify: Callable[[], None],
    ) -> None:
        self.topic = topic
        self.failure: Exception | None = None
        """Why the last batch failed. No other batch is sent until `reset`."""
        self.was_accepted = False
        """Whether the producer accepted the last batch. If it did not, nothing of the batch was sent."""
        self._producer = producer
        self._partition = partition
        self._acknowledged = acknowledged
        self._notify = notify
        self._current: ProducerBatch | None = None
        self._sent_at = 0.0
        self._waiting: deque[ProducerBatch] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, row_id: int, key: Key, value: bytes | None, headers: Headers) -> None:
        """Add a row at the end."""
        if self._waiting and self._waiting[-1].add(row_id, key, value, headers):
            return
        batch = ProducerBatch(self._producer.create_batch())
        batch.add(row_id, key, value, headers)
        self._waiting.append(batch)

    def start(self) -> None:
        """Start to send, unless it is running already."""
        if self._waiting and self.failure is None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    def drop_waiting(self) -> list[Key]:
        """Remove the batches that are not being sent, and return their keys."""
        keys = [key for batch in self._waiting for key in batch.keys]
        self._waiting.clear()
        return keys

    def abandon(self) -> None:
        """Remove all batches. The response to the current one is ignored."""
        self.drop_waiting()
        if self._task is not None:
            self._task.cancel()

    def reset(self) -> list[Key]:
        """Clear a failure, remove all batches, and return the keys of the batch that failed."""
        keys = self.current_keys
        self.drop_waiting()
        self._current = self.failure = None
        return keys

    def check(self) -> None:
        """Raise the exception that ended the task, if it is a bug."""
        if self._task is not None and self._task.done():
            self._task.result()

    @property
    def is_free(self) -> bool:
        """Return True if no batch is being sent."""
        return self._current is None

    @property
    def is_empty(self) -> bool:
        """Return True if there is no batch at all."""
        return self._current is None and not self._waiting

    @property
    def current_keys(self) -> list[Key]:
        """The keys of the batch that is being sent or has failed."""
        return self._current.keys if self._current else []

    @property
    def ids(self) -> Sequence[int]:
        """The ids of all rows in this queue."""
        return [row_id for batch in self._batches() for row_id in batch.ids]

    @property
    def size(self) -> tuple[int, int]:
        """The number of rows in this queue, and their size in bytes."""
        batches = self._batches()
        return sum(len(batch.ids) for batch in batches), sum(batch.builder.size() for batch in batches)

    def is_late(self, timeout_s: float) -> bool:
        """Return True if the current batch has had no response for `timeout_s` seconds."""
        return self._current is not None and time.monotonic() - self._sent_at > timeout_s

    def _batches(self) -> list[ProducerBatch]:
        return [self._current, *self._waiting] if self._current else list(self._waiting)

    async def _run(self) -> None:
        while self._waiting and self.failure is None:
            self._current, self._sent_at = self._waiting.popleft(), time.monotonic()
            await self._send(self._current)
            self._notify()

    async def _send(self, batch: ProducerBatch) -> None:
        batch.builder.close()
        self.was_accepted = False
        await failpoints.hit("relay.send")
        try:
            response = await self._producer.send_batch(batch.builder, self.topic, partition=self._partition)
            self.was_accepted = True
            await response
        except (KafkaError, AssertionError) as error:
            self.failure = error
        else:
            self._current = None
            self._acknowledged += batch.ids
