"""Sends outbox rows with one producer, and keeps the ids of acknowledged rows.

An unknown result is awaited, never resent.

If a batch is late, later rows of its partition are held back. A refused row holds back its key, and a topic that cannot
be written holds back all its rows. Other rows are sent. Holds begin and end only in `update` and `add`, never during a
read of the outbox: what a read was told to leave out stays out until that read has returned.
"""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from didflow_chassis.kafka_clients import MAX_RECORD_BYTES
from didflow_chassis.partition_queue import Headers, Key, PartitionQueue
from didflow_chassis.records import headers_from_json
from didflow_contracts.envelope import CONTENT_TYPE

LATE_S = 3.0
"""After so long without a response, a batch is late, and the rows behind it make room for others."""
METADATA_TIMEOUT_S = 2.0
HOLD_S = 10.0
"""After so long, a refused key or topic is tried again."""
MAX_ROWS = 3_000
MAX_BYTES = 16 * 1024 * 1024
"""With so many rows in progress, no more are read. Late batches do not count."""
MAX_HELD_KEYS = 5_000
"""If more keys of one topic are held back, the whole topic is."""

TopicKey = tuple[str, Key]
_TOPIC_ERRORS = (
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    AssertionError,
)
_DEFAULT_HEADERS: Headers = [("content-type", CONTENT_TYPE.encode())]
_SURELY_FITS = 1_000_000
_LOG = logging.getLogger(__name__)
_hash = lru_cache(maxsize=16_384)(murmur2)
"""Events with the same key usually come close together."""


def partition_of(key: Key, partitions: Sequence[int]) -> int:
    """Return the partition of a key, like every Kafka client. `partitions` are all partitions, ascending."""
    if key is None:
        return random.choice(partitions)  # noqa: S311 - no secret
    hashed: int = _hash(key)
    return partitions[(hashed & 0x7FFFFFFF) % len(partitions)]


class Publisher:
    """The rows that one producer is sending, and what is held back.

    `notify` is called after every response. Call `update` then.
    """

    def __init__(self, producer: AIOKafkaProducer, notify: Callable[[], None] = lambda: None) -> None:
        self.producer = producer
        self.must_be_replaced = False
        """True after a batch was refused: an idempotent producer can then never send again."""
        self.failed = 0
        """Number of rows that were refused or held back."""
        self._notify = notify
        self._acknowledged: list[int] = []
        self._queues: dict[tuple[str, int], PartitionQueue] = {}
        self._late: dict[PartitionQueue, set[Key]] = {}
        self._held_keys: dict[TopicKey, float] = {}
        self._held_topics: dict[str, float] = {}

    def successor(self, producer: AIOKafkaProducer) -> "Publisher":
        """Return a publisher with a new producer. It keeps the holds and the acknowledged ids."""
        after = Publisher(producer, self._notify)
        after._acknowledged, after.failed = self._acknowledged, self.failed
        after._held_keys, after._held_topics = self._held_keys, self._held_topics
        return after

    async def add(self, rows: Sequence[Any]) -> None:
        """Add rows in order, and send them. Rows that are held back are left out."""
        topics = {row["topic"] for row in rows}
        found = await asyncio.gather(*map(self._partitions, topics))
        partitions = dict(zip(topics, found, strict=True))
        for row in rows:
            self.failed += not self._add(row, partitions)
        for queue in self._queues.values():
            queue.start()

    def update(self) -> bool:
        """Take note of responses and of batches that are late. Return True if rows are no longer held back.

        Raises an exception that is a bug.
        """
        self._end_old_holds()
        before = len(self._late)
        for queue in self._queues.values():
            self._update_queue(queue)
        if self.must_be_replaced:
            self.drop_waiting()
        self._queues = {place: queue for place, queue in self._queues.items() if not queue.is_empty}
        return len(self._late) < before

    @property
    def acknowledged(self) -> Sequence[int]:
        """The ids of rows that can be deleted, in the order of their acknowledgements."""
        return tuple(self._acknowledged)

    def forget_acknowledged(self, count: int) -> None:
        """Forget the first `count` acknowledged ids, because their rows are deleted."""
        del self._acknowledged[:count]

    @property
    def in_progress(self) -> list[int]:
        """The ids of rows that must not be read now: they are being sent, wait for it, or are not deleted yet."""
        return [*self._acknowledged, *(row_id for queue in self._queues.values() for row_id in queue.ids)]

    @property
    def has_room(self) -> bool:
        """Return True if more rows may be read. Late batches do not count."""
        sizes = [queue.size for queue in self._queues.values() if queue not in self._late]
        return sum(rows for rows, _ in sizes) <= MAX_ROWS and sum(size for _, size in sizes) <= MAX_BYTES

    def held(self) -> tuple[list[str], list[TopicKey]]:
        """Return the topics and the keys that are held back now."""
        waiting: defaultdict[str, set[Key]] = defaultdict(set)
        for queue, keys in self._late.items():
            waiting[queue.topic] |= keys
        crowded = (topic for topic, keys in waiting.items() if len(keys) > MAX_HELD_KEYS)
        topics = {*self._held_topics, *crowded}
        late = {(topic, key) for topic, keys in waiting.items() for key in keys}
        return sorted(topics), [one for one in {*self._held_keys, *late} if one[0] not in topics]

    def drop_waiting(self) -> None:
        """Remove the rows that are not being sent. They have to be read again."""
        for queue in self._queues.values():
            queue.drop_waiting()

    def abandon(self) -> None:
        """Remove all rows. Responses are ignored from now on."""
        for queue in self._queues.values():
            queue.abandon()
        self._queues.clear()
        self._late.clear()

    def _add(self, row: Any, partitions: Mapping[str, Sequence[int]]) -> bool:
        """Add a row to its queue, or return False if it is held back."""
        row_id, topic, key, value, headers = row
        if not partitions[topic] or (topic, key) in self._held_keys:
            return False
        queue = self._queue(topic, partition_of(key, partitions[topic]))
        if queue in self._late:
            self._late[queue].add(key)
            return False
        written = _DEFAULT_HEADERS if headers is None else list(headers_from_json(headers))
        if not _fits(key, value, written):
            self._hold_key((topic, key), MessageSizeTooLargeError())
            return False
        queue.add(row_id, key, value, written)
        return True

    def _update_queue(self, queue: PartitionQueue) -> None:
        queue.check()
        if queue.failure is not None:
            self._late.pop(queue, None)
            self._hold_failed(queue, queue.failure)
        elif queue in self._late:
            if queue.is_free:
                del self._late[queue]
        elif queue.is_late(LATE_S):
            behind = queue.drop_waiting()
            self.failed += len(behind)
            self._late[queue] = {*queue.current_keys, *behind}
            _LOG.warning("The broker does not respond", extra={"topic": queue.topic})

    def _hold_failed(self, queue: PartitionQueue, error: Exception) -> None:
        """Hold back what could not be sent: the whole topic if the error concerns it, else the keys of the batch."""
        keys = queue.reset()
        self.failed += len(keys)
        if isinstance(error, _TOPIC_ERRORS):
            self._hold_topic(queue.topic, error)
            self.must_be_replaced |= queue.was_accepted
            return
        self.must_be_replaced = True
        _LOG.error(
            "The producer must be replaced", extra={"topic": queue.topic, "error": type(error).__name__}
        )
        for key in set(keys) if queue.was_accepted else ():
            self._hold_key((queue.topic, key), error)

    async def _partitions(self, topic: str) -> Sequence[int]:
        """Return the partitions of a topic, or none if it cannot be written. An unknown topic is looked up."""
        if topic in self._held_topics:
            return ()
        try:
            async with asyncio.timeout(METADATA_TIMEOUT_S):
                return sorted(await self.producer.partitions_for(topic))
        except (KafkaError, TimeoutError) as error:
            self._hold_topic(topic, error)
            return ()

    def _queue(self, topic: str, partition: int) -> PartitionQueue:
        queue = self._queues.get((topic, partition))
        if queue is None:
            queue = PartitionQueue(self.producer, topic, partition, self._acknowledged, self._notify)
            self._queues[topic, partition] = queue
        return queue

    def _hold_key(self, held: TopicKey, error: BaseException) -> None:
        self._held_keys[held] = time.monotonic() + HOLD_S
        _LOG.error("A record was refused", extra={"topic": held[0], "error": type(error).__name__})

    def _hold_topic(self, topic: str, error: Exception) -> None:
        self._held_topics[topic] = time.monotonic() + HOLD_S
        _LOG.error("A topic cannot be written", extra={"topic": topic, "error": type(error).__name__})

    def _end_old_holds(self) -> None:
        now = time.monotonic()
        self._held_keys = {held: until for held, until in self._held_keys.items() if until > now}
        self._held_topics = {topic: until for topic, until in self._held_topics.items() if until > now}


def _fits(key: Key, value: bytes | None, headers: Headers) -> bool:
    """Return True if a record can be sent at all: it is not empty, and it fits into a request."""
    if key is None and value is None:
        return False
    if headers is _DEFAULT_HEADERS and len(key or b"") + len(value or b"") < _SURELY_FITS:
        return True
    size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers)
    return size <= MAX_RECORD_BYTES
