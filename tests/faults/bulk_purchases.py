"""Thousands of purchases that differ only in their ids and numbers, published by librdkafka.

They are not in the ledger of acknowledgements. A test that needs the ledger uses `RecordingClient`.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Producer
from faults.example_events import ExampleDid

from didflow_contracts.envelope import CONTENT_TYPE

_HEADERS: Final = [("content-type", CONTENT_TYPE.encode())]
_NUMBER: Final = b"+12122000000"
_DID_ID: Final = b"00000000-0000-7000-8000-000000000000"
_MAX_QUEUED: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class PurchaseRecord:
    """One purchase as a record."""

    number: bytes
    value: bytes


def purchase_records(
    count: int, *, first: int = 0, padding: int = 0, account: str = "master/acme"
) -> Iterator[PurchaseRecord]:
    """Return purchases of rising numbers. `padding` bytes of each are in an unknown field."""
    did = ExampleDid(name="bulk", number=_NUMBER.decode(), begin=datetime.now(UTC))
    fields = {"order_id": "order " + _NUMBER.decode(), "country": None, "area": None, "account": account}
    template = did.event(0, "did.purchased", **fields).value or b""
    template = template.replace(str(did.did_id).encode(), _DID_ID).replace(
        b'"data":{', b'"data":{"pad":"%s",' % (b"x" * padding)
    )
    for n in range(first, first + count):
        number = b"+1212%07d" % (2_000_000 + n)
        value = template.replace(_NUMBER, number).replace(_DID_ID, b"%08x" % n + _DID_ID[8:])
        yield PurchaseRecord(number=number, value=value.replace(b'"bulk 0', b'"bulk %d 0' % n))


async def publish(bootstrap: str, topic: str, records: Iterator[PurchaseRecord]) -> None:
    """Publish as fast as possible and wait until all are acknowledged."""
    await asyncio.to_thread(_publish, bootstrap, topic, records)


def _publish(bootstrap: str, topic: str, records: Iterator[PurchaseRecord]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 20})
    for record in records:
        producer.produce(topic, value=record.value, key=record.number, headers=_HEADERS)
        if len(producer) > _MAX_QUEUED:
            producer.poll(0.05)
    assert producer.flush(60) == 0
