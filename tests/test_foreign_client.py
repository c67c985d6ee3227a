"""An order system with another client: binary mode, another partitioner, and invalid records among valid ones."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer

from didflow.embedded.wait import until
from didflow.servers import Wanted
from didflow.services import SERVICES
from didflow.stack import Stack, running
from didflow_contracts.ids import derived_id

GOOD = 1_000
TABLES = {
    "inventory": "dids",
    "verification": "registrations",
    "billing": "terms",
    "provisioning": "routings",
}

Headers = Sequence[tuple[str, bytes]]


@pytest.fixture
async def stack(
    kafka: str, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stack]:
    """Four services on a real Kafka. Their workers are not started yet."""
    monkeypatch.setenv("DIDFLOW_TOPIC_PREFIX", topics)
    monkeypatch.setenv("DIDFLOW_BATCH_SIZE", "2000")
    async with running(Wanted(kafka=kafka), tmp_path, tell=print, port=0, late=SERVICES) as opened:
        yield opened


def data(index: int) -> dict[str, Any]:
    """Return the purchase of number `index` of a range that is reserved for examples."""
    return {
        "did_id": str(derived_id("foreign", str(index))),
        "number": f"+442079460{index:03d}",
        "account": "master/acme",
        "number_type": "local",
        "features": ["voice_in"],
        "order_id": f"order-{index}",
        "end_user_type": "business",
        "price": {
            "setup": {"amount": "0.00", "currency": "GBP"},
            "recurring": {"amount": "1.50", "currency": "GBP"},
        },
        "billing_period": 1,
    }


def headers(event_id: str, **changed: bytes) -> Headers:
    """Return the CloudEvents attributes in binary mode."""
    attributes = {
        "ce_specversion": b"1.0",
        "ce_id": event_id.encode(),
        "ce_source": b"/orders/foreign",
        "ce_type": b"didflow.did.purchased.v1",
        "ce_time": datetime.now(UTC).isoformat().encode(),
        "content-type": b"application/json",
    }
    return list((attributes | {f"ce_{name}": value for name, value in changed.items()}).items())


def malformed() -> list[tuple[Headers, bytes | None]]:
    """Return ten records that are not a purchase, each for another reason."""

    def body(**changed: Any) -> bytes:
        return json.dumps(data(0) | changed).encode()

    nameless = {name: value for name, value in data(0).items() if name != "number_type"}
    return [
        (headers("bad-1", id=b"\xff\xfe"), body()),
        ([*headers("bad-2"), ("x-note", b"\xc3\x28")], body()),
        (headers("bad-3"), b'{"did_id": '),
        (headers("bad-4"), b"\xff\xff\xff"),
        (headers("bad-5"), body(billing_period="soon")),
        (headers("bad-6"), body(features="voice_in")),
        (headers("bad-7", type=b"didflow.did.teleported.v1"), body()),
        (headers("bad-8", type=b"didflow.did.purchased.v2"), body()),
        (headers("bad-9"), json.dumps(nameless).encode()),
        (headers("bad-10"), None),
    ]


REASONS = {
    "bad_header": 2,
    "not_json": 2,
    "invalid_data": 3,
    "unknown_type": 1,
    "unsupported_version": 1,
    "no_value": 1,
}


def publish(stack: Stack, records: Sequence[tuple[Headers, bytes | None]]) -> None:
    """Publish with librdkafka and its default partitioner, which differs from that of Java."""
    producer = Producer({"bootstrap.servers": stack.servers.kafka})
    topic = f"{stack.servers.topic_prefix}did.purchased"
    for said, value in records:
        key = json.loads(value)["number"] if value and value.startswith(b'{"did_id": "') else "nobody"
        producer.produce(topic, value=value, key=key, headers=list(said))
    assert producer.flush(30) == 0


async def counts(stack: Stack, service: str) -> dict[str, int]:
    """Count a service's states, and its dead letters by reason."""
    connection = await asyncpg.connect(stack.servers.postgres[service])
    try:
        states = await connection.fetchval(f"SELECT count(*) FROM {TABLES[service]}")
        letters = await connection.fetch("SELECT reason, count(*) FROM dead_letters GROUP BY reason")
        return {"states": states, **{row["reason"]: row["count"] for row in letters}}
    finally:
        await connection.close()


async def test_each_service_dead_letters_exactly_ten_bad_records_among_a_thousand(stack: Stack) -> None:
    """Each dead letter has its reason. The thousand are taken, and a repeat has no effect."""
    good = [(headers(f"good-{n}"), json.dumps(data(n)).encode()) for n in range(GOOD)]
    bad = malformed()
    mixed = [record for n in range(10) for record in (*good[n * 100 : (n + 1) * 100], bad[n])]
    publish(stack, mixed)
    for service in SERVICES:
        await stack.start_worker(service)
    expected = {"states": GOOD, **REASONS}
    for service in SERVICES:

        async def taken(service: str = service) -> bool:
            return await counts(stack, service) == expected

        await until(taken, within=60, what=f"{expected} in {service}, not {await counts(stack, service)}")
    entries = await ledger(stack)
    publish(stack, good[:50])
    publish(stack, [(headers("last"), json.dumps(data(GOOD - 1) | {"order_id": "other"}).encode())])
    await until(lambda: received(stack, "last"), within=30, what="the last record")
    for service in SERVICES:
        assert await counts(stack, service) == expected
    assert await ledger(stack) == entries


async def ledger(stack: Stack) -> int:
    """Count billing's ledger entries."""
    connection = await asyncpg.connect(stack.servers.postgres["billing"])
    try:
        return await connection.fetchval("SELECT count(*) FROM ledger")
    finally:
        await connection.close()


async def received(stack: Stack, event_id: str) -> bool:
    """True if the inbox of every service has an event of the foreign source."""
    from didflow_chassis.stage.messages import event_id_hash

    for service in SERVICES:
        connection = await asyncpg.connect(stack.servers.postgres[service])
        try:
            if not await connection.fetchval(
                "SELECT 1 FROM inbox WHERE id = $1", event_id_hash("/orders/foreign", event_id)
            ):
                return False
        finally:
            await connection.close()
    return True
