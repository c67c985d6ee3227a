"""F37: very many large messages wait for a DID that nobody has purchased. They fill nothing and slow nobody down."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer
from faults.example_events import ExampleDid
from faults.installation import Install, Installation, Member
from faults.job_items import ITEMS
from faults.services_in_process import STANDARD
from harness.processes import until
from harness.steady_purchases import Purchase, SteadyPurchases, at, steady_purchases

from didflow import dead_letters
from didflow_chassis import parked_bounds

IS_LONG: Final = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
RECORDS: Final = 1_000 if IS_LONG else 60
PER_SECOND: Final = 5
VALUE: Final = 900_000
IDLE_S: Final = 5.0 if IS_LONG else 3.0
UNNOTICED_MS: Final = 300.0 if IS_LONG else 2_000.0
"""A delay that a shared machine has even without load. The short form has few purchases."""
MAX_GROWTH_MB: Final = 80
TAKEN: Final = "SELECT (SELECT count(*) FROM parked) + (SELECT count(*) FROM dead_letters)"
PARKED: Final = "SELECT count(*) AS rows, coalesce(sum(size), 0) AS bytes FROM parked"
NOTED: Final = "SELECT count(*) FROM history WHERE number = $1 AND type = 'didflow.enduser.assigned.v1'"
SERVICE: Final = ITEMS["inventory"]
WANTED: Final = ExampleDid(
    name="wanted", number="+12125550000", begin=datetime.now(UTC) - timedelta(minutes=RECORDS)
)


def purchases() -> Iterator[Purchase]:
    """Yield the purchases of the others."""
    for n in itertools.count(2_000_000):
        did = ExampleDid(name=f"purchase {n}", number=f"{SERVICE.purchased}{n}", begin=datetime.now(UTC))
        yield SERVICE.purchase(did)


async def flood(installation: Installation) -> None:
    """Publish the large messages at a steady rate."""
    producer = AIOKafkaProducer(
        bootstrap_servers=installation.parts.kafka, acks="all", max_request_size=2 * 2**20
    )
    await producer.start()
    for n in range(RECORDS):
        record = WANTED.event(n, "enduser.assigned", source="/portals/acme")
        value = (record.value or b"").replace(b'"data":{', b'"data":{"pad":"%s",' % (b"x" * VALUE))
        topic = installation.parts.topic_prefix + record.topic
        await asyncio.gather(
            producer.send_and_wait(topic, value, key=record.key, headers=list(STANDARD)),
            asyncio.sleep(1 / PER_SECOND),
        )
    await producer.stop()


def resident_mb(member: Member) -> float:
    """Return the resident memory of a process in MB."""
    size: int = psutil.Process(member.process.pid).memory_info().rss
    return size / 2**20


async def p95(others: SteadyPurchases, seconds: float) -> float:
    """Return the others' p95 in ms over some seconds."""
    async with others.steady() as latencies:
        await asyncio.sleep(seconds)
    return at(latencies, 0.95)


async def test_large_messages_that_wait_for_an_unknown_entity_slow_nobody_down(install: Install) -> None:
    """F37: 900 kB each. The bounds hold, memory is flat, the others' p95 is under three times its usual value."""
    installation = await install("inventory")
    worker = await installation.worker("inventory").ready()
    connection = await asyncpg.connect(installation.parts.postgres["inventory"])
    parts = installation.parts
    async with steady_purchases(parts.kafka, parts.topic_prefix, SERVICE.answer, purchases()) as others:
        await p95(others, 1.0)
        idle, before = await p95(others, IDLE_S), resident_mb(worker)
        most = before
        async with others.steady() as latencies:
            flooding = asyncio.create_task(flood(installation))

            async def taken() -> bool:
                nonlocal most
                most = max(most, resident_mb(worker))
                await asyncio.sleep(0.1)
                return bool(await connection.fetchval(TAKEN) >= RECORDS)

            await until(taken, within=60 + RECORDS / 4, what="all large messages")
            await flooding
        waiting = at(latencies, 0.95)
        beside = await p95(others, IDLE_S)
        assert not others.lost
    print(f"p95 {idle:.0f} ms idle, {waiting:.0f} ms in the flood, {beside:.0f} ms beside what waits")  # noqa: T201
    print(f"{before:.0f} MB idle, at most {most:.0f} MB")  # noqa: T201 - for the report
    row = await connection.fetchrow(PARKED)
    assert 0 < row["rows"] <= parked_bounds.BOUNDS.entity_rows
    assert VALUE < row["bytes"] <= parked_bounds.BOUNDS.entity_bytes
    assert most < before + MAX_GROWTH_MB
    assert waiting < max(3 * idle, UNNOTICED_MS)
    assert beside < max(3 * idle, UNNOTICED_MS)
    await purchased(installation, connection, row["rows"])
    await connection.close()


async def purchased(installation: Installation, connection: asyncpg.Connection, waiting: int) -> None:
    """Purchase the DID. Everything that fits is applied, and then the dead letters that are retried."""
    parts = installation.parts
    async with steady_purchases(
        parts.kafka, parts.topic_prefix, SERVICE.answer, [SERVICE.purchase(WANTED)]
    ) as others:
        for record in SERVICE.purchase(WANTED):
            await others._publish(record)
    await until(
        lambda: connection.fetchval(f"{NOTED} HAVING count(*) = {waiting}", WANTED.number),
        within=30,
        what="everything that was parked",
    )
    dsns = {"inventory": installation.parts.postgres["inventory"]}
    full = await dead_letters.listed(dsns, reason=parked_bounds.FULL, limit=10)
    await dead_letters.retry(dsns, [one.letter.id for one in full])
    await until(
        lambda: connection.fetchval(f"{NOTED} HAVING count(*) = {waiting + len(full)}", WANTED.number),
        within=30,
        what="the retried dead letters",
    )
