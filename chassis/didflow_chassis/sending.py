"""Gives outbox rows to one producer, and says which were acknowledged. What is unknown is waited for, never sent anew.

What follows such a row in its partition is held back; so is a key that was refused, and a topic that cannot be sent
to. The rest goes on. Holds begin and end in `settle` and `take` alone, never while a read is on its way: what that
read was told to leave out is left out until it has come.
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

from didflow_chassis.brokers import MAX_RECORD_BYTES
from didflow_chassis.outlets import Headers, Key, Outlet
from didflow_chassis.stage.headers import from_json
from didflow_contracts.envelope import CONTENT_TYPE

PATIENCE_S = 3.0
"""How long a batch may be without an answer before the rows behind it make room for others."""
LOOK_S = 2.0
HOLD_S = 10.0
"""After so long what could not be sent is tried again."""
ROOM_ROWS = 3_000
ROOM_BYTES = 16 * 1024 * 1024
"""With so much in hand no more is read, unless it waits behind a broker that does not answer."""
CROWD = 5_000
"""So many keys that wait in one topic are not told apart any more: all of it waits."""

Place = tuple[str, Key]
_OF_THE_TOPIC = (
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    AssertionError,
)
_STANDARD: Headers = [("content-type", CONTENT_TYPE.encode())]
_SURELY_FITS = 1_000_000
_LOG = logging.getLogger(__name__)
_hash = lru_cache(maxsize=16_384)(murmur2)
"""A number's events have one key and come close together."""


def partition_of(key: Key, partitions: Sequence[int]) -> int:
    """Choose a key's partition as every other Kafka client does. `partitions`: all there are, ascending."""
    if key is None:
        return random.choice(partitions)  # noqa: S311 - no secret
    hashed: int = _hash(key)
    return partitions[(hashed & 0x7FFFFFFF) % len(partitions)]


class Sending:
    """What one producer was given and has not answered, and what is held back for it or for a while.

    `tell` is called whenever something is answered: it is time to `settle`.
    """

    def __init__(self, producer: AIOKafkaProducer, tell: Callable[[], None] = lambda: None) -> None:
        self.producer = producer
        self.is_spent = False
        """An idempotent producer that was refused a batch misses its number for ever: it is to be replaced."""
        self.failed = 0
        """Rows that were refused or passed over."""
        self._tell = tell
        self._acknowledged: list[int] = []
        self._outlets: dict[tuple[str, int], Outlet] = {}
        self._late: dict[Outlet, set[Key]] = {}
        self._places: dict[Place, float] = {}
        self._topics: dict[str, float] = {}

    def succeeded_by(self, producer: AIOKafkaProducer) -> "Sending":
        """Return the same for a new producer: it knows what is held and acknowledged, and waits for nothing."""
        after = Sending(producer, self._tell)
        after._acknowledged, after.failed = self._acknowledged, self.failed
        after._places, after._topics = self._places, self._topics
        return after

    async def take(self, rows: Sequence[Any]) -> None:
        """Let rows leave, in order. What is held is passed over, as `held` said that it would be."""
        topics = {row["topic"] for row in rows}
        found = await asyncio.gather(*map(self._partitions, topics))
        partitions = dict(zip(topics, found, strict=True))
        for row in rows:
            self.failed += not self._put(row, partitions)
        for outlet in self._outlets.values():
            outlet.start()

    def settle(self) -> bool:
        """Look at what was answered and what should have been. True where rows are free that were held before.

        Raises what nobody foresaw.
        """
        self._forget_old_holds()
        before = len(self._late)
        for outlet in self._outlets.values():
            self._look_at(outlet)
        if self.is_spent:
            self.drop_unsent()
        self._outlets = {place: outlet for place, outlet in self._outlets.items() if not outlet.is_empty}
        return len(self._late) < before

    @property
    def acknowledged(self) -> Sequence[int]:
        """The rows that can be deleted, in the order of their acknowledgements."""
        return tuple(self._acknowledged)

    def deleted(self, count: int) -> None:
        """Forget the first so many of what was acknowledged."""
        del self._acknowledged[:count]

    @property
    def in_hand(self) -> list[int]:
        """The rows that are not to be read now: on their way, waiting for that, or not deleted yet."""
        return [*self._acknowledged, *(row_id for outlet in self._outlets.values() for row_id in outlet.ids)]

    @property
    def has_room(self) -> bool:
        """Whether more may be read. What a silent broker has takes no room."""
        sizes = [outlet.size for outlet in self._outlets.values() if outlet not in self._late]
        return sum(rows for rows, _ in sizes) <= ROOM_ROWS and sum(size for _, size in sizes) <= ROOM_BYTES

    def held(self) -> tuple[list[str], list[Place]]:
        """Return the topics and the places that are passed over now."""
        waiting: defaultdict[str, set[Key]] = defaultdict(set)
        for outlet, keys in self._late.items():
            waiting[outlet.topic] |= keys
        topics = {*self._topics, *(topic for topic, keys in waiting.items() if len(keys) > CROWD)}
        places = {(topic, key) for topic, keys in waiting.items() for key in keys}
        return sorted(topics), [place for place in {*self._places, *places} if place[0] not in topics]

    def drop_unsent(self) -> None:
        """Let nothing more leave but what is on its way; the rest is to be read again."""
        for outlet in self._outlets.values():
            outlet.drop()

    def abandon(self) -> None:
        """Wait for nothing any more: what comes of it is nobody's to hear."""
        for outlet in self._outlets.values():
            outlet.abandon()
        self._outlets.clear()
        self._late.clear()

    def _put(self, row: Any, partitions: Mapping[str, Sequence[int]]) -> bool:
        """Put a row into its outlet; False where it is passed over."""
        row_id, topic, key, value, headers = row
        if not partitions[topic] or (topic, key) in self._places:
            return False
        outlet = self._outlet(topic, partition_of(key, partitions[topic]))
        if outlet in self._late:
            self._late[outlet].add(key)
            return False
        written = _STANDARD if headers is None else list(from_json(headers))
        if not _fits(key, value, written):
            self._hold((topic, key), MessageSizeTooLargeError())
            return False
        outlet.add(row_id, key, value, written)
        return True

    def _look_at(self, outlet: Outlet) -> None:
        outlet.check()
        if outlet.failure is not None:
            self._late.pop(outlet, None)
            self._give_up(outlet, outlet.failure)
        elif outlet in self._late:
            if outlet.is_free:
                del self._late[outlet]
        elif outlet.is_late(PATIENCE_S):
            behind = outlet.drop()
            self.failed += len(behind)
            self._late[outlet] = {*outlet.keys_out, *behind}
            _LOG.warning("no answer from the broker", extra={"topic": outlet.topic})

    def _give_up(self, outlet: Outlet, error: Exception) -> None:
        """Hold what an outlet could not bring away: its topic where that is at fault, else the keys of the batch."""
        keys = outlet.reset()
        self.failed += len(keys)
        if isinstance(error, _OF_THE_TOPIC):
            self._hold_topic(outlet.topic, error)
            self.is_spent |= outlet.was_taken
            return
        self.is_spent = True
        _LOG.error("the producer is spent", extra={"topic": outlet.topic, "error": type(error).__name__})
        for key in set(keys) if outlet.was_taken else ():
            self._hold((outlet.topic, key), error)

    async def _partitions(self, topic: str) -> Sequence[int]:
        """Return a topic's partitions, none where it cannot be sent to. If unknown it is asked for, for a moment."""
        if topic in self._topics:
            return ()
        partitions = self.producer.client.cluster.partitions_for_topic(topic)
        if partitions is None:
            try:
                async with asyncio.timeout(LOOK_S):
                    partitions = await self.producer.partitions_for(topic)
            except (KafkaError, TimeoutError) as error:
                self._hold_topic(topic, error)
                return ()
        return sorted(partitions)

    def _outlet(self, topic: str, partition: int) -> Outlet:
        outlet = self._outlets.get((topic, partition))
        if outlet is None:
            outlet = Outlet(self.producer, topic, partition, self._acknowledged, self._tell)
            self._outlets[topic, partition] = outlet
        return outlet

    def _hold(self, place: Place, error: BaseException) -> None:
        self._places[place] = time.monotonic() + HOLD_S
        _LOG.error("a row was refused", extra={"topic": place[0], "error": type(error).__name__})

    def _hold_topic(self, topic: str, error: Exception) -> None:
        self._topics[topic] = time.monotonic() + HOLD_S
        _LOG.error("a topic cannot be sent to", extra={"topic": topic, "error": type(error).__name__})

    def _forget_old_holds(self) -> None:
        now = time.monotonic()
        self._places = {place: until for place, until in self._places.items() if until > now}
        self._topics = {topic: until for topic, until in self._topics.items() if until > now}


def _fits(key: Key, value: bytes | None, headers: Headers) -> bool:
    """Whether a record can be sent at all: it says something, and is no larger than any request may be."""
    if key is None and value is None:
        return False
    if headers is _STANDARD and len(key or b"") + len(value or b"") < _SURELY_FITS:
        return True
    size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers)
    return size <= MAX_RECORD_BYTES
