"""F27: one tenant makes nineteen twentieths of the load, and part of it is malformed. The others are hardly slower."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from aiokafka import AIOKafkaConsumer
from faults.bulk_purchases import PurchaseRecord, purchase_records
from faults.installation import Install, Installation
from faults.recording_client import OpenClient, RecordingClient
from faults.services_in_process import STANDARD
from harness.processes import until

from didflow_contracts.events import DidPurchased, TermChanged

SECONDS = 60 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 6
QUIET_RATE = 25
NOISY_RATE = 19 * QUIET_RATE
SLICES = 25
"""The noise comes in this many parts per second. The last record of each part is malformed."""
UNNOTICED_S = 0.3
"""A delay that is too short to notice. A shared machine has delays of this size even without load."""


class ArrivalTimes:
    """number -> when the first event about its term was received."""

    def __init__(self) -> None:
        self.first_seen: dict[bytes, float] = {}

    async def record(self, consumer: AIOKafkaConsumer) -> None:
        """Record when each key is received for the first time."""
        async for record in consumer:
            self.first_seen.setdefault(record.key, time.monotonic())


@asynccontextmanager
async def term_arrivals(installation: Installation) -> AsyncIterator[ArrivalTimes]:
    """Record the arrival of billing's events about terms."""
    topic = f"{installation.parts.topic_prefix}{TermChanged.topic}"
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=installation.parts.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    arrivals = ArrivalTimes()
    task = asyncio.create_task(arrivals.record(consumer))
    try:
        yield arrivals
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


async def quiet_tenant(client: RecordingClient, arrivals: ArrivalTimes) -> list[float]:
    """Buy at the rate of the quiet tenant. Return the sorted times until each term was published."""
    sent: dict[bytes, float] = {}
    for _ in range(QUIET_RATE * SECONDS):
        purchase = client.make()
        sent[purchase.number.encode()] = time.monotonic()
        await client.publish(purchase)
        await asyncio.sleep(1 / QUIET_RATE)
    await until(
        lambda: sent.keys() <= arrivals.first_seen.keys(), within=60, what="events about every purchase"
    )
    return sorted(arrivals.first_seen[number] - at for number, at in sent.items())


async def noisy_tenant(client: RecordingClient) -> None:
    """Publish purchases and malformed records at a steady rate until cancelled."""
    topic = f"{client.installation.parts.topic_prefix}{DidPurchased.topic}"
    for n in count():
        records = list(purchase_records(NOISY_RATE // SLICES - 1, first=n * NOISY_RATE, account="master"))
        for purchase in (*records, PurchaseRecord(number=b"nobody", value=b'{"specversion": ')):
            await client.producer.send(topic, purchase.value, key=purchase.number, headers=STANDARD)
        await asyncio.sleep(1 / SLICES)


def p99(delays: list[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(delays, n=100)[98]


@pytest.mark.faults
async def test_a_noisy_tenant_does_not_slow_the_others(install: Install, open_client: OpenClient) -> None:
    """F27: the others' p99 is under twice their p99 alone, or unnoticed. Dead letters of one tenant pause no other."""
    installation = await install("billing")
    client = await open_client(installation)
    await installation.worker("billing").ready()
    async with term_arrivals(installation) as arrivals:
        await client.purchase(20)
        alone = await quiet_tenant(client, arrivals)
        noise = asyncio.create_task(noisy_tenant(client))
        try:
            with_noise = await quiet_tenant(client, arrivals)
        finally:
            noise.cancel()
            await asyncio.gather(noise, return_exceptions=True)
    print(f"p99 {p99(alone):.3f} s alone, {p99(with_noise):.3f} s with the noise")  # noqa: T201 - for the report
    assert p99(with_noise) < max(2 * p99(alone), UNNOTICED_S)
