"""Sends outbox rows by one producer, and says which were acknowledged. What is unknown is waited for, never sent anew.

What follows such a row under its key and topic is held back; so is a topic that cannot be sent to. The rest goes on.
"""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from didflow_chassis.stage.headers import from_json
from didflow_contracts.envelope import CONTENT_TYPE

PATIENCE_S = 3.0
"""How long a wave waits for its acknowledgements before others go on without them."""
LOOK_S = 2.0
HOLD_S = 10.0
"""After so long what could not be sent is tried again."""

Place = tuple[str, bytes | None]
_OF_THE_TOPIC = (KafkaTimeoutError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError)
_OF_THE_ROW = (MessageSizeTooLargeError, AssertionError)
_STANDARD = [("content-type", CONTENT_TYPE.encode())]
_LOG = logging.getLogger(__name__)


class Sending:
    """What one producer was given and has not answered, and what is held back for it or for a while."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self.is_spent = False
        """An idempotent producer that was refused a batch misses its number for ever: it is to be replaced."""
        self._waiting: dict[int, tuple[Place, asyncio.Future[Any]]] = {}
        self._places: dict[Place, float] = {}
        self._topics: dict[str, float] = {}

    def succeeded_by(self, producer: AIOKafkaProducer) -> "Sending":
        """Return the same for a new producer: it knows what is held, and waits for nothing."""
        after = Sending(producer)
        after._places, after._topics = dict(self._places), dict(self._topics)
        return after

    async def send(self, rows: Sequence[Any]) -> list[int]:
        """Send rows in order and return the ids of what has been acknowledged, earlier rows among it."""
        self._forget_old_holds()
        earlier = {place for place, _ in self._waiting.values()}
        wave: list[asyncio.Future[Any]] = []
        for row in rows:
            place = (row["topic"], row["key"])
            if self.is_spent:
                break
            if place not in earlier and place not in self._places and await self._takes(row["topic"]):
                wave += await self._started(row, place)
        if wave:
            await asyncio.wait(wave, timeout=PATIENCE_S)
        return self.settled()

    def settled(self) -> list[int]:
        """Return the ids of what has been acknowledged since; what was refused is held for a while.

        What was acknowledged behind a refusal, under the same key and topic, is kept: it is sent again after it.
        """
        done = [(row_id, *entry) for row_id, entry in self._waiting.items() if entry[1].done()]
        for row_id, place, future in done:
            del self._waiting[row_id]
            error = future.exception()
            if error is not None:
                self.is_spent = True
                self._hold(place, error)
        stuck = {topic for (topic, _), _ in self._waiting.values()}
        self._topics = {t: until for t, until in self._topics.items() if until < math.inf or t in stuck}
        return [row_id for row_id, place, _ in done if place not in self._places]

    def held(self) -> tuple[list[str], list[Place]]:
        """Return the topics and the places that are passed over now."""
        self._forget_old_holds()
        return list(self._topics), [*self._places, *{place for place, _ in self._waiting.values()}]

    def abandon(self) -> None:
        """Wait for nothing any more: what comes of it is nobody's to hear."""
        for _, future in self._waiting.values():
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting.clear()

    async def _started(self, row: Any, place: Place) -> Sequence[asyncio.Future[Any]]:
        headers = _STANDARD if row["headers"] is None else list(from_json(row["headers"]))
        try:
            future = await self.producer.send(row["topic"], row["value"], key=row["key"], headers=headers)
        except _OF_THE_TOPIC as error:
            self._hold_topic(row["topic"], error)
        except _OF_THE_ROW as error:
            self._hold(place, error)
        except KafkaError as error:
            _LOG.error("the producer failed", extra={"error": type(error).__name__})
            self.is_spent = True
        else:
            self._waiting[row["id"]] = (place, future)
            return (future,)
        return ()

    async def _takes(self, topic: str) -> bool:
        """Whether a topic can be sent to. One that is unknown is asked for, for a moment, not anew for each row."""
        if topic in self._topics:
            return False
        if self.producer.client.cluster.partitions_for_topic(topic) is not None:
            return True
        try:
            async with asyncio.timeout(LOOK_S):
                await self.producer.partitions_for(topic)
        except (KafkaError, TimeoutError) as error:
            self._hold_topic(topic, error)
            return False
        return True

    def _hold(self, place: Place, error: BaseException) -> None:
        self._places[place] = time.monotonic() + HOLD_S
        _LOG.error("a row was refused", extra={"topic": place[0], "error": type(error).__name__})

    def _hold_topic(self, topic: str, error: Exception) -> None:
        """Pass a topic over: until what waits there is answered where no more is taken, else for a while."""
        stuck = {waiting for (waiting, _), _ in self._waiting.values()}
        is_full = isinstance(error, KafkaTimeoutError) and topic in stuck
        self._topics[topic] = math.inf if is_full else time.monotonic() + HOLD_S
        _LOG.error("a topic cannot be sent to", extra={"topic": topic, "error": type(error).__name__})

    def _forget_old_holds(self) -> None:
        now = time.monotonic()
        self._places = {place: until for place, until in self._places.items() if until > now}
        self._topics = {topic: until for topic, until in self._topics.items() if until > now}
