"""F04: every topic is read again from its beginning, when the inbox has forgotten what it knew.

Then nothing is left but what the events carry and the states remember: sequences, instants and endings.
"""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faults.four import READS, Four, Record, answers, four
from faults.installation import Install, Installation, ready
from faults.invariants import Judge
from faults.lives import Life
from faults.oracle import Ask
from harness.fixtures import DatabaseFor
from harness.processes import until

from didflow.services import service
from didflow.tail import partitions_of

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
FREE: Final = {"registration": "not_required"}


def lives() -> list[Life]:
    """DIDs of New York, where nothing is asked for."""
    return [Life(name=f"again {n}", number=f"+1212200000{n}", begin=BEGIN) for n in range(8)]


async def told(house: Four, records: list[Record]) -> list[Record]:
    """Hand on records and all that is said because of them; return the whole of it, as the topics have it then."""
    log = list(records)
    while records:
        await house.receive(records)
        records = await house.publish()
        records += answers(records, BEGIN)
        log += records
    return log


async def remembered(house: Four) -> dict[str, Any]:
    """All that the services hold of their DIDs, with versions and sequences."""
    return {name: await house.states(name) for name in READS}


async def test_all_topics_read_anew_by_all_services_change_nothing(
    database_for: DatabaseFor, seed: int
) -> None:
    """F04: sold, refused, handed on, withdrawn and released: read again in order and shuffled, nobody says a word."""
    some = lives()
    twin = Life(name="twin", number=some[0].number, begin=BEGIN)
    bought = [
        one.event(0, "did.purchased", purchased_at=BEGIN, country=None, area=None) for one in (*some, twin)
    ]
    async with four(database_for) as house:
        log = await told(house, bought)
        log += await told(house, [one.event(5, "enduser.assigned") for one in some[1:3]])
        log += await told(house, [one.event(6, "did.withdrawn", 900) for one in some[3:6]])
        # Only the inbox knows that a refused event was refused before: verification would refuse these again.
        log = [record for record in log if record.topic != "enduser.assigned"]
        before = await remembered(house)
        stages = [house.stages[name] for name in READS]
        assert {row.state.carrier_state for row in before["provisioning"].values()} >= {"active", "released"}
        for chance in (None, random.Random(seed)):
            for stage in stages:
                await stage.database.fetch("DELETE FROM inbox")
            if chance is not None:
                chance.shuffle(log)
            await house.receive(log)
            assert await house.publish() == []
            assert await remembered(house) == before
            for name in READS:
                assert await house.count(name, "parked") + await house.count(name, "dead_letters") == 0


async def test_an_offset_reset_on_the_broker_after_pruning_is_harmless(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F04: billing's group is set back to the beginning and its inbox emptied: I1 to I8 hold, nothing is said twice."""
    at = await install("inventory", "billing")
    oracle = await ask(at)
    quick: dict[str, Any] = {"SESSION_TIMEOUT_MS": "2000", "HEARTBEAT_MS": "500"}
    worker, _ = await ready(at.worker("billing", **quick), at.worker("inventory"))
    await oracle.purchase(30)
    first = await judge(at)
    await worker.process.stop()
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    await connection.execute("DELETE FROM inbox")
    await connection.close()
    await reset(at, "billing")
    await at.worker("billing", 1).ready()
    again = await judge(at)
    assert len(again.records) == len(first.records)
    assert again.services["billing"].states == first.services["billing"].states


async def reset(at: Installation, name: str) -> None:
    """Set a group back to the beginning of all its topics, as an operator does, once no member is left."""
    topics = [at.parts.topic_prefix + model.topic for model in service(name).events]
    partitions = await partitions_of(at.settings, topics)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=at.parts.kafka, group_id=f"{at.parts.topic_prefix}{name}", enable_auto_commit=False
    )
    consumer.assign(partitions)
    await consumer.start()

    async def done() -> bool:
        with suppress(KafkaError):
            await consumer.commit(dict.fromkeys(partitions, 0))
            return True
        return False

    try:
        await until(done, within=20, what="an empty group")
    finally:
        await consumer.stop()
