"""A month's end: many terms become due at once, while purchases come at a steady rate and one worker is killed.

The latency of a purchase is from its publishing to billing's `term.changed`. It is measured with nothing due, half of
it before the wave and half of it after, and during the wave, all with the same workers.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from harness.due_terms import due_terms, is_due_number

from bench.databases import prepared
from bench.growth import Growth, worker
from bench.machine import Machine
from bench.purchases import HEADERS, TOPIC, numbers, purchase
from bench.rounds import Tell
from didflow.embedded.child import Child
from didflow.embedded.wait import until
from didflow_contracts.envelope import encode
from didflow_contracts.events import TermChanged

WORKERS = (1, 2, 4)
PER_SECOND = 5
WARM_UP_S = 10
PATIENCE_S = 1_800.0


@dataclass(frozen=True, kw_only=True)
class Wave:
    """The figures of one wave.

    `seconds` is from the first due term to the last published event. `repeats` are records that the relay published
    twice. `wrong` are due terms that were not renewed exactly once, in the ledger or on the topic. `lost` are purchases
    without a `term.changed`. Latencies are in milliseconds.
    """

    workers: int
    seconds: float
    idle_p50: float
    idle_p95: float
    p50: float
    p95: float
    worst: float
    purchases: int
    wrong: int
    repeats: int
    lost: int


@dataclass(kw_only=True)
class Purchases:
    """Purchases at a steady rate, and the events about terms that answer them."""

    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    prefix: str
    sent: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    renewed: dict[str, set[str]] = field(default_factory=dict)
    repeats: int = 0
    _indices: Iterator[int] = field(default_factory=lambda: numbers(1_000_000))

    async def listen(self) -> None:
        """Read events about terms until cancelled."""
        while True:
            found = await self.consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for record in itertools.chain.from_iterable(found.values()):
                self._note(record.key.decode(), record.value, now)

    def _note(self, number: str, value: bytes, now: float) -> None:
        if not is_due_number(number):
            self.answered.setdefault(number, now)
            return
        ids, event_id = self.renewed.setdefault(number, set()), orjson.loads(value)["id"]
        self.repeats += event_id in ids
        ids.add(event_id)

    async def send(self) -> None:
        """Publish purchases at the steady rate until cancelled."""
        started = time.perf_counter()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.perf_counter()))
            event = purchase(next(self._indices))
            self.sent[event.subject] = time.perf_counter()
            await self.producer.send(
                self.prefix + TOPIC, encode(event), key=event.subject.encode(), headers=HEADERS
            )

    @asynccontextmanager
    async def steady(self) -> AsyncIterator[list[float]]:
        """Publish purchases during the block, and wait for their answers. Then the list has their latencies in ms."""
        before, latencies = len(self.sent), list[float]()
        sending = asyncio.create_task(self.send())
        try:
            yield latencies
        finally:
            sending.cancel()
        numbers_sent = list(self.sent)[before:]
        try:
            await until(lambda: all(n in self.answered for n in numbers_sent), within=30, what="answers")
        except TimeoutError:
            return
        finally:
            answered = (n for n in numbers_sent if n in self.answered)
            latencies += sorted((self.answered[n] - self.sent[n]) * 1_000 for n in answered)


async def measure(machine: Machine, *, terms: int, idle_s: float, tell: Tell) -> list[Wave]:
    """Run one wave for each number of workers."""
    waves = []
    for workers in WORKERS:
        waves.append(await _wave(machine, workers, terms, idle_s))
        tell(f"{workers} workers: {waves[-1]}")
    return waves


async def _wave(machine: Machine, workers: int, terms: int, idle_s: float) -> Wave:
    growing = Growth(machine=machine, prefix=f"timers{workers}.")
    await growing.ready()
    async with AsyncExitStack() as exits:
        dsn = await exits.enter_async_context(machine.database("billing", prepared("billing")))
        due = await due_terms(dsn, terms)
        exits.push_async_callback(due.connection.close)
        await machine.settle()
        running = [await _start(exits, growing, dsn, n) for n in range(workers)]
        purchases = await _purchases(exits, growing)
        async with purchases.steady():
            await asyncio.sleep(WARM_UP_S)
        async with purchases.steady() as before:
            await asyncio.sleep(idle_s / 2)
        started = time.perf_counter()
        async with purchases.steady() as busy:
            await due.make_due()
            await until(
                lambda: len(purchases.renewed) > terms / 2, within=PATIENCE_S, what="half of the wave"
            )
            await running[0].kill()
            running[0] = await _start(exits, growing, dsn, 0)
            await until(
                lambda: len(purchases.renewed) >= terms, within=PATIENCE_S, what="the events of all terms"
            )
            await until(due.is_over, within=PATIENCE_S, what="the end of the wave")
            seconds = time.perf_counter() - started
        async with purchases.steady() as after:
            await asyncio.sleep(idle_s / 2)
        idle, found = sorted(before + after), await due.renewals()
        once = Counter(len(ids) for ids in purchases.renewed.values())[1]
        return Wave(
            workers=workers,
            seconds=seconds,
            idle_p50=_at(idle, 0.5),
            idle_p95=_at(idle, 0.95),
            p50=_at(busy, 0.5),
            p95=_at(busy, 0.95),
            worst=busy[-1],
            purchases=len(busy),
            wrong=terms - min(found.terms, once) + found.entries - found.terms,
            repeats=purchases.repeats,
            lost=len(purchases.sent) - len(purchases.answered),
        )


async def _start(exits: AsyncExitStack, growing: Growth, dsn: str, number: int) -> Child:
    return await exits.enter_async_context(worker(growing, dsn, number, MEMBER_ID=f"billing-{number}"))


async def _purchases(exits: AsyncExitStack, growing: Growth) -> Purchases:
    kafka = growing.machine.kafka
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(
        growing.prefix + TermChanged.topic, bootstrap_servers=kafka, group_id=None, fetch_max_wait_ms=50
    )
    for client in (producer, consumer):
        await client.start()
        exits.push_async_callback(client.stop)
    purchases = Purchases(producer=producer, consumer=consumer, prefix=growing.prefix)
    listening = asyncio.create_task(purchases.listen())
    exits.callback(listening.cancel)
    return purchases


def _at(latencies: list[float], share: float) -> float:
    return latencies[int(len(latencies) * share)]
