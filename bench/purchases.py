"""Real purchases: local numbers in London, which need no registration. One account buys each of them once.

Number i is the same purchase for every variant and round. Purchases are of today, because older ones would be renewed.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer

from didflow_chassis.records import Record
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.events import DidPurchased
from didflow_contracts.ids import derived_id

TOPIC: Final = DidPurchased.topic
ACCOUNT: Final = "master/acme"
ACCOUNTS: Final = ("master", ACCOUNT)
SOURCE: Final = "/orders/bench"
BOUGHT_AT: Final = datetime.now(UTC)
HEADERS: Final = [("content-type", CONTENT_TYPE.encode())]
SCRIPTED: Final = range(9_990, 10_000)
"""Last four digits that make the simulated carrier fail. Numbers with this end are left out."""


def numbers(count: int, first: int = 0) -> Iterator[int]:
    """Yield this many indices whose numbers the simulated carrier activates at once."""
    index = first
    while count:
        if index % 10_000 not in SCRIPTED:
            yield index
            count -= 1
        index += 1


def number_of(index: int) -> str:
    """Return the number of a purchase."""
    return f"+44207{index:07d}"


def did_of(index: int) -> UUID:
    """Return the DID of a purchase."""
    return derived_id("bench", str(index))


def purchase(index: int, at: datetime = BOUGHT_AT) -> Event[Any]:
    """Return one purchase as an order system publishes it."""
    price = {
        "setup": {"amount": "1.00", "currency": "GBP"},
        "recurring": {"amount": "0.80", "currency": "GBP"},
    }
    data = {
        "did_id": did_of(index),
        "number": number_of(index),
        "account": ACCOUNT,
        "number_type": "local",
        "features": ["voice_in", "voice_out"],
        "order_id": f"B-{index:08d}",
        "end_user_type": "business",
        "price": price,
        "billing_period": 1,
        "area": "London",
    }
    return Event(
        id=f"purchase-{index}", source=SOURCE, time=at, data=DidPurchased.model_validate(data, strict=False)
    )


def new_purchases(first: int = 1_000_000) -> Iterator[tuple[Record, ...]]:
    """Yield purchases without end, as the records of their only event."""
    for index in numbers(8_000_000, first):
        event = purchase(index)
        yield (Record(TOPIC, 0, 0, event.subject.encode(), encode(event), ()),)


async def publish(
    kafka: str, prefix: str, indices: Iterable[int], make: Callable[[int], Event[Any]] = purchase
) -> None:
    """Publish purchases, or the events that `make` builds, as fast as possible. Wait until all are acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5, max_batch_size=256 * 1024)
    await producer.start()
    try:
        for index in indices:
            event = make(index)
            await producer.send(
                prefix + event.data.topic, encode(event), key=event.subject.encode(), headers=HEADERS
            )
        await producer.flush()
    finally:
        await producer.stop()
