"""F23: values larger than a record may be: coming in, about to be said, and refused by a topic."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from faults.four import answers, event_of, four, record
from faults.installation import Install
from faults.invariants import Judge
from faults.lives import Life
from faults.oracle import Ask
from faults.rawrecords import RawRecord, publish
from harness.fixtures import DatabaseFor
from harness.processes import until
from harness.topics import admin

from didflow_contracts.envelope import CONTENT_TYPE, MAX_VALUE_BYTES
from didflow_contracts.events import DidPurchased, ResultReported

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
STANDARD: Final = ((b"content-type", CONTENT_TYPE.encode()),)
LARGE: Final = (MAX_VALUE_BYTES + 1, 1_500_000, 2_000_000)
WAITING: Final = "SELECT array_agg(DISTINCT topic) FROM outbox"
LETTERS: Final = "SELECT count(*) = $1 FROM dead_letters WHERE truncated AND length(value) = 1024"


async def limit(bootstrap: str, topic: str, size: int) -> None:
    """Let a topic take records up to a size only."""
    config = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": str(size)})
    async with admin(bootstrap) as client:
        await client.alter_configs([config])


async def test_oversize_is_cut_apart_and_a_topic_that_takes_too_little_blocks_no_other(
    install: Install, ask: Ask, judge: Judge, kafka: str
) -> None:
    """F23: values over a million bytes are letters, cut; a topic that refuses billing's events keeps only those."""
    at = await install("billing")
    oracle = await ask(at)
    prefix = at.parts.topic_prefix
    await at.worker("billing").ready()
    for partition, size in enumerate(LARGE):
        good = [oracle.make() for _ in range(2)]
        records = [RawRecord(key=one.number.encode(), value=one.value, headers=STANDARD) for one in good]
        large = RawRecord(key=b"k", value=b"x" * size, headers=STANDARD)
        first = await publish(oracle.producer, prefix + DidPurchased.topic, partition, [records[0], large])
        await publish(oracle.producer, prefix + DidPurchased.topic, partition, records[1:])
        where = {"topic": DidPurchased.topic, "partition": partition, "offset": first + 1}
        oracle.ledger.write("poison", did_id="", number="", key=str(size), reason="too_large", **where)
        for one in good:
            oracle.note(one)
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    try:
        await until(lambda: connection.fetchval(LETTERS, len(LARGE)), within=20, what="cut letters")
        await limit(kafka, f"{prefix}ledger.posted", 100)
        await oracle.purchase(20)
        await until(lambda: only_ledger(connection, prefix), within=15, what="all but the ledger published")
        await oracle.purchase(20)
        await until(lambda: only_ledger(connection, prefix), within=15, what="all but the ledger published")
        await limit(kafka, f"{prefix}ledger.posted", 2 * 1024 * 1024)
        await until(lambda: empty(connection), within=30, what="the ledger published too")
    finally:
        await connection.close()
    await judge(at)


async def only_ledger(connection: asyncpg.Connection, prefix: str) -> bool:
    """Whether entries of the ledger alone wait, and every purchase was heard."""
    heard = await connection.fetchval("SELECT count(*) FROM terms")
    return heard % 20 == 6 and await connection.fetchval(WAITING) == [f"{prefix}ledger.posted"]


async def empty(connection: asyncpg.Connection) -> bool:
    """Whether nothing waits to be published."""
    return await connection.fetchval(WAITING) is None


async def test_what_would_be_said_too_large_is_refused_with_a_code(database_for: DatabaseFor) -> None:
    """F23: a carrier's message of a megabyte would make an event too large: refused `too_large`, nothing written."""
    lives = [Life(name=f"large {n}", number=f"+35321200000{n}", begin=BEGIN) for n in range(3)]
    async with four(database_for, "provisioning") as house:
        for one in lives:
            free = one.event(2, "verification.not_required", 1, registration="not_required")
            await house.receive([one.event(0, "did.purchased"), one.event(1, "did.changed", 1), free])
        done = answers(await house.publish(), BEGIN)
        await house.receive([done[0], failed(done[1], "x" * (MAX_VALUE_BYTES - 3_000)), done[2]])
        states = await house.states("provisioning")
        assert [states[one.did_id].state.carrier_state for one in lives] == ["active", "activating", "active"]
        assert {len(one.value or b"") < 5_000 for one in await house.publish()} == {True}
        assert await house.count("provisioning", "inbox", "decision = 'refused:too_large'") == 1
        assert await house.count("provisioning", "dead_letters") == 0


def failed(done: Any, message: str) -> Any:
    """Say instead that the order failed for good, with these words."""
    data: ResultReported = event_of(done).data
    told = data.model_copy(update={"outcome": "failed", "code": "rejected", "message": message})
    return record(told, "failed at length", source="/carriers/simulator", time=BEGIN)
