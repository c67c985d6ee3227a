"""The whole flow over four services: purchases are published as fast as possible until the last DID is active."""

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from bench import stages
from bench.machine import Machine
from bench.purchases import HEADERS, TOPIC, numbers, purchase
from bench.rounds import Tell, Variant, interleaved
from bench.variant import Took
from bench.whole_stack import PREFIX, WholeStack, whole_stack
from didflow_contracts.envelope import encode

FIRST = 0


def flow(running: WholeStack, producer: AIOKafkaProducer, purchases: int) -> Variant:
    """Return the function that sends this many new purchases. Its messages are those that the four stages took.

    Purchases are written before the clock starts, because the work of an order system is not measured.
    """
    firsts = itertools.count(FIRST, 2 * purchases)

    async def once() -> Took:
        listener = running.listener
        listener.heard.clear()
        events = [purchase(index) for index in numbers(purchases, next(firsts))]
        written = [(event.subject.encode(), encode(event)) for event in events]
        before = sum((await running.taken()).values())
        worked, started = running.worked(), time.perf_counter()
        for key, value in written:
            await producer.send(PREFIX + TOPIC, value, key=key, headers=HEADERS)
        await listener.wait(purchases)
        seconds = max(listener.heard.values()) - started
        worked = running.worked() - worked
        taken = sum((await running.taken()).values()) - before
        await running.quiet.wait()
        return Took(messages=taken, seconds=seconds, published=purchases, cpu_s=worked)

    return once


async def measure(
    machine: Machine, *, purchases: int, messages: int, rounds: int, tell: Tell
) -> dict[str, list[Took]]:
    """Measure the flow and the one-stage floors in interleaved rounds. `published` of the flow counts its DIDs."""
    ready = stages.Stages(machine=machine, messages=messages)
    names = [f"{name}-floor" for name in stages.OF_PURCHASES]
    await ready.ready(names)
    async with whole_stack(machine, tell) as running, _producer(machine.kafka) as producer:
        variants = {"flow": flow(running, producer, purchases)} | {
            name: ready.variant(name, 500) for name in names
        }
        return await interleaved(variants, rounds, tell)


@asynccontextmanager
async def _producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5, max_batch_size=256 * 1024)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
