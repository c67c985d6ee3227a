"""One partition's way to Kafka: its rows are gathered in batches, which leave one after another.

A batch MUST NOT leave before the one ahead of it is acknowledged: what follows the unknown or the refused stays here.
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
class Batch:
    """Rows that leave together: their records, serialized already, their ids and their keys."""

    builder: Any
    ids: list[int] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    def add(self, row_id: int, key: Key, value: bytes | None, headers: Headers) -> bool:
        """Add a row; False where the batch is full. The first one always fits."""
        if self.builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
            return False
        self.ids.append(row_id)
        self.keys.append(key)
        return True


class Outlet:
    """A partition's batches: one on its way to Kafka, the others behind it, in order.

    `acknowledged` gets the ids of what was; `tell` is called whenever a batch is answered.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        partition: int,
        acknowledged: list[int],
        tell: Callable[[], None],
    ) -> None:
        self.topic = topic
        self.failure: Exception | None = None
        """What the last batch came to, if to nothing. No other leaves until that is looked into."""
        self.was_taken = False
        """Whether the producer had taken the batch, or nothing of it was sent."""
        self._producer = producer
        self._partition = partition
        self._acknowledged = acknowledged
        self._tell = tell
        self._out: Batch | None = None
        self._since = 0.0
        self._queue: deque[Batch] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, row_id: int, key: Key, value: bytes | None, headers: Headers) -> None:
        """Put a row behind all others."""
        if self._queue and self._queue[-1].add(row_id, key, value, headers):
            return
        batch = Batch(self._producer.create_batch())
        batch.add(row_id, key, value, headers)
        self._queue.append(batch)

    def start(self) -> None:
        """Let what lies here leave, if it is not leaving already."""
        if self._queue and self.failure is None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._leave())

    def drop(self) -> list[Key]:
        """Forget what is not on its way and return its keys."""
        keys = [key for batch in self._queue for key in batch.keys]
        self._queue.clear()
        return keys

    def abandon(self) -> None:
        """Forget everything: what comes of it is nobody's to hear."""
        self.drop()
        if self._task is not None:
            self._task.cancel()

    def reset(self) -> list[Key]:
        """Forget a failure with all that lay here, and return the keys of the batch that failed."""
        keys = self.keys_out
        self.drop()
        self._out = self.failure = None
        return keys

    def check(self) -> None:
        """Raise what nobody foresaw, if that ended the sending."""
        if self._task is not None and self._task.done():
            self._task.result()

    @property
    def is_free(self) -> bool:
        """Whether nothing is on its way."""
        return self._out is None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is here at all."""
        return self._out is None and not self._queue

    @property
    def keys_out(self) -> list[Key]:
        """The keys of what is on its way, or came to nothing."""
        return self._out.keys if self._out else []

    @property
    def ids(self) -> Sequence[int]:
        """The rows that are here, on their way or not."""
        return [row_id for batch in self._batches() for row_id in batch.ids]

    @property
    def size(self) -> tuple[int, int]:
        """How many rows are here, and how many bytes they take."""
        batches = self._batches()
        return sum(len(batch.ids) for batch in batches), sum(batch.builder.size() for batch in batches)

    def is_late(self, patience_s: float) -> bool:
        """Whether the batch on its way has not been answered for so long."""
        return self._out is not None and time.monotonic() - self._since > patience_s

    def _batches(self) -> list[Batch]:
        return [self._out, *self._queue] if self._out else list(self._queue)

    async def _leave(self) -> None:
        while self._queue and self.failure is None:
            self._out, self._since = self._queue.popleft(), time.monotonic()
            await self._send(self._out)
            self._tell()

    async def _send(self, batch: Batch) -> None:
        batch.builder.close()
        self.was_taken = False
        await failpoints.hit("relay.send")
        try:
            answer = await self._producer.send_batch(batch.builder, self.topic, partition=self._partition)
            self.was_taken = True
            await answer
        except (KafkaError, AssertionError) as error:
            self.failure = error
        else:
            self._out = None
            self._acknowledged += batch.ids
