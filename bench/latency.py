"""Latency at a steady rate, from the publishing of a purchase to its activation, against as many bare hops.

The events themselves tell how many hops the real path has: each one names the event that caused it.
"""

import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from harness.topics import create_topics

from bench.machine import Machine
from bench.purchases import HEADERS, TOPIC, numbers, purchase
from bench.rounds import Tell
from bench.topics import PARTITIONS
from bench.variant import Run
from bench.whole_stack import PREFIX, ActivationReader, WholeStack, whole_stack
from didflow.embedded.child import Child
from didflow_contracts.envelope import encode
from didflow_contracts.events import DidActivated
from didflow_contracts.topics import TOPICS

PER_SECOND = 50
FIRST = 5_000_000
HOPS = "hops."


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """The latencies of one round, in milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, kw_only=True)
class LatencyResult:
    """The latencies of each round, and the number of hops of the path."""

    ours: list[Latencies]
    bare: list[Latencies]
    hops: int


async def measure(machine: Machine, *, seconds: int, rounds: int, tell: Tell) -> LatencyResult:
    """Measure both in interleaved rounds, after a warm-up."""
    count = PER_SECOND * seconds
    firsts = itertools.count(FIRST, 2 * count)
    async with whole_stack(machine, tell) as running, AsyncExitStack() as exits:
        send = await _sender(exits, machine.kafka)
        real = _Path(send=send, topic=PREFIX + TOPIC, listener=running.listener)
        await real.once(PER_SECOND, next(firsts))
        hops = await count_hops(running)
        chain = await exits.enter_async_context(bare_hops(machine, hops))
        bare = _Path(send=send, topic=f"{HOPS}0", listener=chain)
        await bare.once(PER_SECOND, next(firsts))
        ours, theirs = [], []
        for number in range(rounds):
            ours.append(await real.once(count, next(firsts)))
            await running.quiet.wait()
            theirs.append(await bare.once(count, next(firsts)))
            tell(f"round {number + 1} of {rounds}: {ours[-1]}, {hops} bare hops {theirs[-1]}")
        return LatencyResult(ours=ours, bare=theirs, hops=hops)


async def count_hops(running: WholeStack) -> int:
    """Count the events from a purchase to its activation, where each causes the next. Return the median."""
    consumer = AIOKafkaConsumer(
        *(PREFIX + topic for topic in TOPICS),
        bootstrap_servers=running.kafka,
        group_id=None,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    causes: dict[str, str | None] = {}
    activated: list[str] = []
    try:
        while found := await consumer.getmany(timeout_ms=1_000):
            for record in itertools.chain.from_iterable(found.values()):
                event = orjson.loads(record.value)
                causes[event["id"]] = event.get("causationid")
                if event["type"] == DidActivated.type():
                    activated.append(event["id"])
    finally:
        await consumer.stop()
    return statistics.median_low(sorted(_depth(event, causes) for event in activated))


def _depth(event: str, causes: dict[str, str | None]) -> int:
    depth, cause = 0, causes.get(event)
    while cause is not None and depth < len(causes):
        depth, cause = depth + 1, causes.get(cause)
    return depth


@asynccontextmanager
async def bare_hops(machine: Machine, hops: int) -> AsyncIterator[ActivationReader]:
    """Run a chain of bare hops, one process each, and read the end of the chain."""
    topics = [f"{HOPS}{number}" for number in range(hops + 1)]
    await create_topics(machine.kafka, topics, partitions=PARTITIONS)
    consumer = AIOKafkaConsumer(
        topics[-1], bootstrap_servers=machine.kafka, group_id=None, fetch_max_wait_ms=50
    )
    await consumer.start()
    listener = ActivationReader(consumer=consumer)
    listening = asyncio.create_task(listener.listen())
    children = [_hop(machine, number) for number in range(hops)]
    try:
        yield listener
    finally:
        listening.cancel()
        await consumer.stop()
        await asyncio.gather(*(child.kill() for child in children))


def _hop(machine: Machine, number: int) -> Child:
    run = Run(kafka=machine.kafka, dsn="", prefix=HOPS, messages=number)
    command = [sys.executable, "-m", "bench.bare_hop", json.dumps(asdict(run))]
    return Child.start(command, log=machine.folder / f"hop-{number}.log")


Send = Callable[[str, bytes, bytes], Awaitable[object]]


async def _sender(exits: AsyncExitStack, kafka: str) -> Send:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=0)
    await producer.start()
    exits.push_async_callback(producer.stop)

    async def send(topic: str, key: bytes, value: bytes) -> object:
        return await producer.send(topic, value, key=key, headers=HEADERS)

    return send


@dataclass(frozen=True, kw_only=True)
class _Path:
    """A path from a topic to a reader."""

    send: Send
    topic: str
    listener: ActivationReader

    async def once(self, count: int, first: int) -> Latencies:
        """Send this many purchases at the steady rate and wait for all of them."""
        self.listener.heard.clear()
        sent: dict[bytes, float] = {}
        started = time.perf_counter()
        for number, index in enumerate(numbers(count, first)):
            event = purchase(index)
            await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.perf_counter()))
            key = event.subject.encode()
            sent[key] = time.perf_counter()
            await self.send(self.topic, key, encode(event))
        await self.listener.wait(count)
        took = sorted((self.listener.heard[key] - at) * 1000 for key, at in sent.items())
        return Latencies(p50=took[len(took) // 2], p99=took[len(took) * 99 // 100])
