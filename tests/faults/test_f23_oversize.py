"""F23: values that are too large for a record: received, about to be published, and refused by a topic."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from faults.example_events import ExampleDid
from faults.installation import Install
from faults.invariants import CheckInvariants
from faults.raw_records import RawRecord, publish
from faults.recording_client import OpenClient
from faults.services_in_process import carrier_results, event_of, event_record, services_in_process
from harness.fixtures import DatabaseFor
from harness.processes import until
from harness.topics import admin

from didflow_contracts.envelope import CONTENT_TYPE, MAX_VALUE_BYTES
from didflow_contracts.events import DidPurchased, ResultReported

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
STANDARD: Final = ((b"content-type", CONTENT_TYPE.encode()),)
LARGE: Final = (MAX_VALUE_BYTES + 1, 1_500_000, 2_000_000)
WAITING_TOPICS: Final = "SELECT array_agg(DISTINCT topic) FROM outbox"
TRUNCATED_DEAD_LETTERS: Final = (
    "SELECT count(*) = $1 FROM dead_letters WHERE truncated AND length(value) = 1024"
)


async def limit_record_size(bootstrap: str, topic: str, size: int) -> None:
    """Set the largest record that a topic accepts."""
    config = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": str(size)})
    async with admin(bootstrap) as client:
        await client.alter_configs([config])


async def test_oversize_records_are_dead_letters_and_a_refusing_topic_blocks_no_other(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, kafka: str
) -> None:
    """F23: a value over 1,000,000 bytes is a truncated dead letter. A topic that refuses records blocks no other."""
    installation = await install("billing")
    client = await open_client(installation)
    prefix = installation.parts.topic_prefix
    await installation.worker("billing").ready()
    for partition, size in enumerate(LARGE):
        good = [client.make() for _ in range(2)]
        records = [
            RawRecord(key=purchase.number.encode(), value=purchase.value, headers=STANDARD)
            for purchase in good
        ]
        large = RawRecord(key=b"k", value=b"x" * size, headers=STANDARD)
        first = await publish(client.producer, prefix + DidPurchased.topic, partition, [records[0], large])
        await publish(client.producer, prefix + DidPurchased.topic, partition, records[1:])
        place = {"topic": DidPurchased.topic, "partition": partition, "offset": first + 1}
        client.ledger.write("poison", did_id="", number="", key=str(size), reason="too_large", **place)
        for purchase in good:
            client.note(purchase)
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    try:
        await until(
            lambda: connection.fetchval(TRUNCATED_DEAD_LETTERS, len(LARGE)),
            within=20,
            what="truncated dead letters",
        )
        await limit_record_size(kafka, f"{prefix}ledger.posted", 100)
        await client.purchase(20)
        await until(
            lambda: only_ledger_entries_wait(connection, prefix),
            within=15,
            what="all but the ledger entries published",
        )
        await client.purchase(20)
        await until(
            lambda: only_ledger_entries_wait(connection, prefix),
            within=15,
            what="all but the ledger entries published",
        )
        await limit_record_size(kafka, f"{prefix}ledger.posted", 2 * 1024 * 1024)
        await until(lambda: outbox_is_empty(connection), within=30, what="the ledger entries published too")
    finally:
        await connection.close()
    await check_invariants(installation)


async def only_ledger_entries_wait(connection: asyncpg.Connection, prefix: str) -> bool:
    """Return True if every purchase was applied and only ledger entries wait in the outbox."""
    terms = await connection.fetchval("SELECT count(*) FROM terms")
    return terms % 20 == 6 and await connection.fetchval(WAITING_TOPICS) == [f"{prefix}ledger.posted"]


async def outbox_is_empty(connection: asyncpg.Connection) -> bool:
    """Return True if the outbox is empty."""
    return await connection.fetchval(WAITING_TOPICS) is None


async def test_a_text_that_would_make_an_event_too_large_is_not_taken(database_for: DatabaseFor) -> None:
    """F23: a carrier's text of a megabyte is longer than a text may be. Its result is a dead letter; others go on."""
    dids = [ExampleDid(name=f"large {n}", number=f"+35321200000{n}", begin=BEGIN) for n in range(3)]
    async with services_in_process(database_for, "provisioning") as services:
        for did in dids:
            free = did.event(2, "verification.not_required", 1, registration="not_required")
            await services.receive([did.event(0, "did.purchased"), did.event(1, "did.changed", 1), free])
        results = carrier_results(await services.publish(), BEGIN)
        await services.receive(
            [results[0], as_failed(results[1], "x" * (MAX_VALUE_BYTES - 3_000)), results[2]]
        )
        states = await services.states("provisioning")
        assert [states[did.did_id].state.carrier_state for did in dids] == [
            "active",
            "activating",
            "active",
        ]
        events = [record for record in await services.publish() if not record.topic.endswith(".dlq")]
        assert {len(record.value or b"") < 5_000 for record in events} == {True}
        assert await services.count("provisioning", "inbox", "decision = 'dead:invalid_data'") == 1
        assert await services.count("provisioning", "dead_letters") == 1


def as_failed(result: Any, message: str) -> Any:
    """Return the result as a permanent failure with this text."""
    data: ResultReported = event_of(result).data
    failure = data.model_copy(update={"outcome": "failed", "code": "rejected", "message": message})
    return event_record(failure, "failed at length", source="/carriers/simulator", time=BEGIN)
