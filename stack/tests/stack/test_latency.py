"""The time from a purchase to its activation on the embedded broker."""

import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from didflow.embedded.kafka import FETCH_WAIT_MS
from didflow.servers import Wanted
from didflow.stack import running
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.events import DidActivated, DidPurchased
from didflow_contracts.ids import derived_id

LIMIT_MS: Final = 150
BUSY_LIMIT_MS: Final = 300
"""The limit if other programs use the machine. With long fetches, even the fastest purchase took 420 ms."""
ROUNDS: Final = 20
PURCHASES: Final = 3


@dataclass(kw_only=True)
class OrderSystem:
    """Publishes purchases and measures when their numbers are activated."""

    producer: AIOKafkaProducer
    activations: AIOKafkaConsumer
    count: int = 0

    async def purchase(self) -> float:
        """Purchase a number and return the milliseconds until `did.activated` is published."""
        self.count += 1
        number = f"+44207946{self.count:04d}"
        data = {
            "did_id": derived_id("latency", number),
            "number": number,
            "account": "master/acme",
            "number_type": "local",
            "order_id": f"ORD-{self.count}",
            "features": ["voice_in"],
            "end_user_type": "business",
            "price": {
                "setup": {"amount": "0.00", "currency": "GBP"},
                "recurring": {"amount": "0.80", "currency": "GBP"},
            },
            "billing_period": 1,
            "area": "London",
        }
        event = Event(
            id=f"purchase-{self.count}",
            source="/orders/latency",
            time=datetime.now(UTC),
            data=DidPurchased.model_validate(data, strict=False),
        )
        headers = [("content-type", CONTENT_TYPE.encode())]
        started = time.time()
        await self.producer.send_and_wait(
            DidPurchased.topic, encode(event), key=number.encode(), headers=headers
        )
        async for record in self.activations:
            if record.key == number.encode():
                return float(record.timestamp) - started * 1000
        raise AssertionError


@asynccontextmanager
async def order_system(kafka: str) -> AsyncIterator[OrderSystem]:
    activations = AIOKafkaConsumer(
        DidActivated.topic, bootstrap_servers=kafka, group_id=None, fetch_max_wait_ms=FETCH_WAIT_MS
    )
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer, activations:
        yield OrderSystem(producer=producer, activations=activations)


def limit_ms() -> float:
    """Return the limit that fits the load of the machine."""
    is_busy = os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
    return BUSY_LIMIT_MS if is_busy else LIMIT_MS


async def test_a_purchase_is_activated_within_150_ms(tmp_path: Path) -> None:
    """The embedded broker does not hold fetches for long.

    A busy machine only makes a purchase slower. So the best median of several rounds counts, and the test ends with
    the first good round. Without short fetches, no round comes near the limit.
    """
    medians: list[float] = []
    async with (
        running(Wanted(), tmp_path, tell=lambda _: None, port=0) as stack,
        order_system(stack.servers.kafka) as orders,
    ):
        for _ in range(ROUNDS):
            medians.append(statistics.median([await orders.purchase() for _ in range(PURCHASES)]))
            if medians[-1] <= LIMIT_MS:
                break
    assert min(medians) <= limit_ms(), [round(median) for median in medians]
