"""Purchases by the thousand, which differ only in their ids and numbers, published by librdkafka.

They are not in the ledger of acknowledgements. A test that needs the ledger buys with the oracle.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Producer
from faults.lives import Life

from didflow_contracts.envelope import CONTENT_TYPE

_HEADERS: Final = [("content-type", CONTENT_TYPE.encode())]
_NUMBER: Final = b"+12122000000"
_DID: Final = b"00000000-0000-7000-8000-000000000000"
_MOST_QUEUED: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class PurchaseRecord:
    """One purchase as a record."""

    number: bytes
    value: bytes


def purchase_records(
    count: int, *, first: int = 0, padding: int = 0, account: str = "master/acme"
) -> Iterator[PurchaseRecord]:
    """Return purchases of rising numbers. `padding` bytes of each are in an unknown field."""
    life = Life(name="bulk", number=_NUMBER.decode(), begin=datetime.now(UTC))
    words = {"order_id": "order " + _NUMBER.decode(), "country": None, "area": None, "account": account}
    said = life.event(0, "did.purchased", **words).value or b""
    said = said.replace(str(life.did_id).encode(), _DID).replace(
        b'"data":{', b'"data":{"pad":"%s",' % (b"x" * padding)
    )
    for n in range(first, first + count):
        number = b"+1212%07d" % (2_000_000 + n)
        value = said.replace(_NUMBER, number).replace(_DID, b"%08x" % n + _DID[8:])
        yield PurchaseRecord(number=number, value=value.replace(b'"bulk 0', b'"bulk %d 0' % n))


async def publish(bootstrap: str, topic: str, some: Iterator[PurchaseRecord]) -> None:
    """Publish as fast as possible and wait until all are acknowledged."""
    await asyncio.to_thread(_publish, bootstrap, topic, some)


def _publish(bootstrap: str, topic: str, some: Iterator[PurchaseRecord]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 20})
    for one in some:
        producer.produce(topic, value=one.value, key=one.number, headers=_HEADERS)
        if len(producer) > _MOST_QUEUED:
            producer.poll(0.05)
    assert producer.flush(60) == 0
