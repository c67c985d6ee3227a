"""F27: one tenant makes nineteen twentieths of the load, part of it nonsense. The others hardly notice."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from aiokafka import AIOKafkaConsumer
from faults.bulk import PurchaseRecord, purchase_records
from faults.four import STANDARD
from faults.installation import Install, Installation
from faults.oracle import Ask, Oracle
from harness.processes import until

from didflow_contracts.events import DidPurchased, TermChanged

SECONDS = 60 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 6
QUIET_RATE = 25
NOISY_RATE = 19 * QUIET_RATE
SLICES = 25
"""In so many parts a second the noise comes; the last record of each is none."""
UNNOTICED_S = 0.3
"""A delay under which nobody would ask: a machine that others use too is no quieter than that."""


class Listener:
    """When each number's term was said."""

    def __init__(self) -> None:
        self.heard: dict[bytes, float] = {}

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Note the first time that each key is heard."""
        async for record in consumer:
            self.heard.setdefault(record.key, time.monotonic())


@asynccontextmanager
async def listening(at: Installation) -> AsyncIterator[Listener]:
    """Listen to what billing says of terms."""
    topic = f"{at.parts.topic_prefix}{TermChanged.topic}"
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=at.parts.kafka, auto_offset_reset="earliest")
    await consumer.start()
    listener = Listener()
    task = asyncio.create_task(listener.listen(consumer))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


async def quiet_tenant(oracle: Oracle, listener: Listener) -> list[float]:
    """Buy at the tenant's pace; return how long each purchase took to be said, sorted."""
    sent: dict[bytes, float] = {}
    for _ in range(QUIET_RATE * SECONDS):
        one = oracle.make()
        sent[one.number.encode()] = time.monotonic()
        await oracle.publish(one)
        await asyncio.sleep(1 / QUIET_RATE)
    await until(lambda: sent.keys() <= listener.heard.keys(), within=60, what="every purchase said")
    return sorted(listener.heard[number] - at for number, at in sent.items())


async def noisy_tenant(oracle: Oracle) -> None:
    """Buy and talk nonsense at a steady pace until cancelled."""
    topic = f"{oracle.at.parts.topic_prefix}{DidPurchased.topic}"
    for n in count():
        some = list(purchase_records(NOISY_RATE // SLICES - 1, first=n * NOISY_RATE, account="master"))
        for one in (*some, PurchaseRecord(number=b"nobody", value=b'{"specversion": ')):
            await oracle.producer.send(topic, one.value, key=one.number, headers=STANDARD)
        await asyncio.sleep(1 / SLICES)


def p99(delays: list[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(delays, n=100)[98]


@pytest.mark.faults
async def test_a_noisy_tenant_does_not_slow_the_others(install: Install, ask: Ask) -> None:
    """F27: the others' p99 stays below twice what it was alone, or unnoticed; dead letters of one pause nobody."""
    at = await install("billing")
    oracle = await ask(at)
    await at.worker("billing").ready()
    async with listening(at) as listener:
        await oracle.purchase(20)
        alone = await quiet_tenant(oracle, listener)
        noise = asyncio.create_task(noisy_tenant(oracle))
        try:
            beside = await quiet_tenant(oracle, listener)
        finally:
            noise.cancel()
            await asyncio.gather(noise, return_exceptions=True)
    print(f"p99 {p99(alone):.3f} s alone, {p99(beside):.3f} s beside the noise")  # noqa: T201 - for the report
    assert p99(beside) < max(2 * p99(alone), UNNOTICED_S)
