"""F04: every topic is read again from its beginning after the inbox was emptied.

Then a repeat is only recognized by the contents of events and states: sequences, instants and ended DIDs.
"""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faults.example_events import ExampleDid
from faults.installation import Install, Installation, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.services_in_process import READS, ServicesInProcess, carrier_results, services_in_process
from harness.fixtures import DatabaseFor
from harness.processes import until

from didflow.consistency.check import check
from didflow.services import service
from didflow.tail import partitions_of
from didflow_chassis.records import Record

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
FREE: Final = {"registration": "not_required"}


def dids() -> list[ExampleDid]:
    """Return DIDs of New York, where no registration is required."""
    return [ExampleDid(name=f"again {n}", number=f"+1212200000{n}", begin=BEGIN) for n in range(8)]


async def deliver(services: ServicesInProcess, records: list[Record]) -> list[Record]:
    """Deliver records and all records that are published because of them. Return all of them."""
    log = list(records)
    while records:
        await services.receive(records)
        records = await services.publish()
        records += carrier_results(records, BEGIN)
        log += records
    return log


async def all_states(services: ServicesInProcess) -> dict[str, Any]:
    """Return the main states of all services, with versions and sequences."""
    return {name: await services.states(name) for name in READS}


async def test_reading_all_topics_again_changes_nothing(database_for: DatabaseFor, seed: int) -> None:
    """F04: all topics are read again without an inbox, in order and shuffled. Nothing changes, nothing is published."""
    all_dids = dids()
    twin = ExampleDid(name="twin", number=all_dids[0].number, begin=BEGIN)
    purchases = [
        did.event(0, "did.purchased", purchased_at=BEGIN, country=None, area=None)
        for did in (*all_dids, twin)
    ]
    async with services_in_process(database_for) as services:
        log = await deliver(services, purchases)
        log += await deliver(services, [did.event(5, "enduser.assigned") for did in all_dids[1:3]])
        log += await deliver(services, [did.event(6, "did.withdrawn", 900) for did in all_dids[3:6]])
        # Only the inbox knows that an event was refused. Without it, verification would refuse these again.
        log = [record for record in log if not record.topic.endswith("enduser.assigned")]
        before = await all_states(services)
        stages = [services.stages[name] for name in READS]
        assert {row.state.carrier_state for row in before["provisioning"].values()} >= {"active", "released"}
        for shuffler in (None, random.Random(seed)):
            for stage in stages:
                await stage.database.fetch("DELETE FROM inbox")
            if shuffler is not None:
                shuffler.shuffle(log)
            await services.receive(log)
            assert await services.publish() == []
            assert await all_states(services) == before
            for name in READS:
                assert await services.count(name, "parked") + await services.count(name, "dead_letters") == 0
        assert (await check(services.dsns, wait=0)).disagreements == []


async def test_an_offset_reset_after_the_inbox_was_emptied_changes_nothing(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F04: billing's group is set back to the beginning and its inbox is emptied. I1 to I8 hold; no event is new."""
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    short_session: dict[str, Any] = {"SESSION_TIMEOUT_MS": "2000", "HEARTBEAT_MS": "500"}
    worker, _ = await ready(installation.worker("billing", **short_session), installation.worker("inventory"))
    await client.purchase(30)
    first = await check_invariants(installation)
    await worker.process.stop()
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    await connection.execute("DELETE FROM inbox")
    await connection.close()
    await reset_offsets(installation, "billing")
    await installation.worker("billing", 1).ready()
    again = await check_invariants(installation)
    assert len(again.records) == len(first.records)
    assert again.services["billing"].states == first.services["billing"].states


async def reset_offsets(installation: Installation, name: str) -> None:
    """Set a group back to the beginning of all its topics, as an operator does, once the group is empty."""
    topics = [installation.parts.topic_prefix + topic for topic in service(name).topics_read]
    partitions = await partitions_of(installation.settings, topics)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=installation.parts.kafka,
        group_id=f"{installation.parts.topic_prefix}{name}",
        enable_auto_commit=False,
    )
    consumer.assign(partitions)
    await consumer.start()

    async def committed() -> bool:
        with suppress(KafkaError):
            await consumer.commit(dict.fromkeys(partitions, 0))
            return True
        return False

    try:
        await until(committed, within=20, what="a commit to the empty group")
    finally:
        await consumer.stop()
