"""F08: the sender of a publish gives up without an answer, but the records reach the broker later.

A proxy between relay and broker withholds everything and forwards it later.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiokafka.client
import asyncpg
import pytest
from faults.evidence import gather
from faults.installation import Install, Installation, ready
from faults.invariants import CheckInvariants
from faults.proxy import Proxy, proxy
from faults.recording_client import OpenClient
from harness.processes import until

from didflow_chassis import publisher
from didflow_chassis.kafka_clients import producer
from didflow_chassis.relay import Relay
from didflow_chassis.settings import Settings, load
from didflow_chassis.telemetry.metrics import Metrics

CLIENT: Final = "late-relay"
TERMS_AND_OUTBOX_ROWS: Final = (
    "SELECT (SELECT count(*) FROM terms) = $1 AND (SELECT count(*) FROM outbox) = $2"
)
STARTED: Final = b'"reason":"started"'


@pytest.fixture
async def broker_proxy(kafka: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """Run a proxy before the broker. Only connections of the late relay go through it."""
    real = aiokafka.client.create_conn
    async with proxy(int(kafka.rpartition(":")[2])) as running:

        async def create_conn(host: str, port: int, **options: Any) -> Any:
            port = running.port if options.get("client_id") == CLIENT else port
            return await real(host, port, **options)

        monkeypatch.setattr(aiokafka.client, "create_conn", create_conn)
        monkeypatch.setattr(publisher, "LATE_S", 0.5)
        yield running


@dataclass
class RelayActivity:
    """What the relay did: how often it read the outbox, and which values it passed to its producer."""

    reads: int = 0
    values: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def running_relay(installation: Installation, name: str) -> AsyncIterator[RelayActivity]:
    """Run a relay of a service in this process, through the proxy, and record what it does."""
    activity = RelayActivity()
    options = {
        "kafka": installation.parts.kafka,
        "postgres": installation.parts.postgres[name],
        "production": False,
    }
    kafka_producer = producer(load(Settings, **options), CLIENT)
    await kafka_producer.start()
    relay = Relay(
        installation.parts.postgres[name], kafka_producer, Metrics(), application="late", poll_s=0.2
    )
    read, create_batch, send = relay._read, kafka_producer.create_batch, kafka_producer.send_batch

    async def counted_read(session: Any) -> Any:
        activity.reads += 1
        return await read(session)

    def recorded_batch() -> Any:
        batch = create_batch()
        batch.values, add = [], batch.append

        def recorded_append(*, value: bytes, **record: Any) -> Any:
            added = add(value=value, **record)
            batch.values += [value] if added else []
            return added

        batch.append = recorded_append
        return batch

    async def recorded_send(batch: Any, topic: str, *, partition: int) -> Any:
        activity.values += batch.values
        return await send(batch, topic, partition=partition)

    relay._read, kafka_producer.create_batch, kafka_producer.send_batch = (
        counted_read,
        recorded_batch,
        recorded_send,
    )
    task = asyncio.create_task(relay.run())
    try:
        yield activity
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_records_that_arrive_late_are_repeats_and_overtake_no_others(
    install: Install,
    open_client: OpenClient,
    check_invariants: CheckInvariants,
    broker_proxy: Proxy,
    exits: AsyncExitStack,
) -> None:
    """F08: later rows wait for the unknown result. Another worker publishes all in order; late records are repeats."""
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    api = installation.api("billing")
    client.apis["billing"] = await exits.enter_async_context(installation.http_client(api))
    billing = await asyncpg.connect(installation.parts.postgres["billing"])
    exits.push_async_callback(billing.close)
    async with running_relay(installation, "billing") as activity:
        await until(lambda: activity.reads, within=10, what="the lease")
        await ready(installation.worker("billing"), api)
        await client.purchase(1)
        await until(
            lambda: billing.fetchval(TERMS_AND_OUTBOX_ROWS, 1, 0),
            within=20,
            what="a first purchase whose events are published",
        )
        broker_proxy.withhold()
        purchases = await client.purchase(5)
        await until(
            lambda: billing.fetchval(TERMS_AND_OUTBOX_ROWS, 6, 15),
            within=20,
            what="billing's events about five more",
        )
        await until(lambda: STARTED in broker_proxy.withheld, within=10, what="records in the proxy")
        for purchase in purchases:
            await client.command("set_cycles", purchase, billing_cycles=7)
        assert await billing.fetchval(TERMS_AND_OUTBOX_ROWS, 6, 20)
        before = activity.reads
        await until(lambda: activity.reads > before + 5, within=10, what="more reads of the outbox")
        assert 3 < len(activity.values) == len(set(activity.values)) <= 3 + 15
        assert not any(b'"cycles_left":7' in value for value in activity.values)
    await until(
        lambda: billing.fetchval(TERMS_AND_OUTBOX_ROWS, 6, 0),
        within=20,
        what="everything published by the worker",
    )
    assert (await gather(installation)).repeats == 0
    broker_proxy.heal()
    await until(lambda: repeats_arrived(installation), within=20, what="the withheld records")
    await installation.worker("inventory").ready()
    await check_invariants(installation, client)


async def repeats_arrived(installation: Installation) -> bool:
    """Return True if the withheld records are on their topics."""
    return (await gather(installation)).repeats > 0
