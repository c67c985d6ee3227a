"""Purchases at a steady rate, and how long the service under test takes to answer each of them.

The time of a purchase is from its publishing to the first event about its number on the topic of the answers.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from didflow.embedded.wait import DeadlineMissedError, until
from didflow_chassis.records import Record
from didflow_contracts.envelope import CONTENT_TYPE

PER_SECOND = 5
ANSWERS_S = 60.0
_HEADERS = [("content-type", CONTENT_TYPE.encode())]

Purchase = Sequence[Record]
"""The events of one purchase, in order. They are all about one number, which is their key."""

Hear = Callable[[str, bytes], None]
"""`hear(number, value)` is called for each event about a number that is not one of a purchase."""


@dataclass(kw_only=True)
class SteadyPurchases:
    """Publishes purchases and listens to their answers. `sent` and `answered` have the instant by number."""

    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    prefix: str
    purchases: Iterator[Purchase]
    hear: Hear = lambda *_: None
    sent: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> set[str]:
        """The numbers of purchases without an answer."""
        return self.sent.keys() - self.answered.keys()

    @asynccontextmanager
    async def steady(self) -> AsyncIterator[list[float]]:
        """Publish purchases during the block, and wait for their answers. Then the list has their times in ms, sorted.

        A purchase that is not answered within a minute has no time. It is lost.
        """
        before, latencies = len(self.sent), list[float]()
        sending = asyncio.create_task(self._send())
        try:
            yield latencies
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            numbers = list(self.sent)[before:]
            with suppress(DeadlineMissedError):
                await until(lambda: not self.lost, within=ANSWERS_S, what="answers to all purchases")
            answered = (number for number in numbers if number in self.answered)
            latencies += sorted((self.answered[number] - self.sent[number]) * 1_000 for number in answered)

    def latencies(self, since: float, but: Sequence[tuple[float, float]]) -> list[float]:
        """Return the times in ms, sorted, of the purchases since an instant but not between the given ones."""
        sent = {number: instant for number, instant in self.sent.items() if instant >= since}
        return sorted(
            (self.answered[number] - instant) * 1_000
            for number, instant in sent.items()
            if number in self.answered and not any(begin <= instant <= end for begin, end in but)
        )

    async def listen(self) -> None:
        """Read the topic of the answers until cancelled."""
        while True:
            found = await self.consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for record in itertools.chain.from_iterable(found.values()):
                number = record.key.decode()
                if number not in self.sent:
                    self.hear(number, record.value)
                elif self.is_answer(number, record.value):
                    self.answered.setdefault(number, now)

    def is_answer(self, number: str, value: bytes) -> bool:
        """Return True if this event about a purchased number is its answer. Here the first event is."""
        return True

    async def _send(self) -> None:
        started = time.perf_counter()
        for turn in itertools.count():
            await asyncio.sleep(max(0.0, started + turn / PER_SECOND - time.perf_counter()))
            await asyncio.shield(
                self._publish_all(next(self.purchases))
            )  # no purchase is left half published

    async def _publish_all(self, purchase: Purchase) -> None:
        for record in purchase:
            await self._publish(record)

    async def _publish(self, record: Record) -> None:
        self.sent[(record.key or b"").decode()] = time.perf_counter()
        await self.publish(record)

    async def publish(self, record: Record) -> None:
        """Publish an event of a purchase. Does not wait for the acknowledgement."""
        await self.producer.send(self.prefix + record.topic, record.value, key=record.key, headers=_HEADERS)


Opened = TypeVar("Opened", bound=SteadyPurchases)


@asynccontextmanager
async def steady_purchases(
    kafka: str,
    prefix: str,
    answer: str | Sequence[str],
    purchases: Iterable[Purchase],
    opened_as: Callable[..., Opened] = SteadyPurchases,  # type: ignore[assignment]
    **options: Any,
) -> AsyncIterator[Opened]:
    """Open the clients for the duration of the block. `answer`: the topics of the answers, without the prefix.

    `opened_as` is a subclass that has other purchases or answers. `options` are its fields.
    """
    topics = [answer] if isinstance(answer, str) else answer
    async with AsyncExitStack() as exits:
        producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=0)
        consumer = AIOKafkaConsumer(
            *(prefix + topic for topic in topics),
            bootstrap_servers=kafka,
            group_id=None,
            fetch_max_wait_ms=50,
        )
        for client in (producer, consumer):
            await client.start()
            exits.push_async_callback(client.stop)
        opened = opened_as(
            producer=producer, consumer=consumer, prefix=prefix, purchases=iter(purchases), **options
        )
        listening = asyncio.create_task(opened.listen())
        exits.callback(listening.cancel)
        yield opened


def at(latencies: Sequence[float], share: float) -> float:
    """Return the time that this share of the purchases does not exceed. 0 if there are none."""
    return latencies[min(int(len(latencies) * share), len(latencies) - 1)] if latencies else 0.0
