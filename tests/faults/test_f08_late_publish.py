"""F08: a publish is cut off without an answer, given up by its sender, and lands on the broker after all.

Between relay and broker stands a proxy that swallows everything, and later lets it through.
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
from faults.invariants import Judge
from faults.oracle import Ask
from faults.proxy import Proxy, proxy
from harness.processes import until

from didflow_chassis import publisher
from didflow_chassis.kafka_clients import producer
from didflow_chassis.relay import Relay
from didflow_chassis.settings import Settings, load
from didflow_chassis.telemetry.metrics import Metrics

CLIENT: Final = "late-relay"
SAID: Final = "SELECT (SELECT count(*) FROM terms) = $1 AND (SELECT count(*) FROM outbox) = $2"
STARTED: Final = b'"reason":"started"'


@pytest.fixture
async def between(kafka: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """A proxy before the broker, through which the late relay alone speaks, whatever address the broker tells."""
    real = aiokafka.client.create_conn
    async with proxy(int(kafka.rpartition(":")[2])) as stands:

        async def create_conn(host: str, port: int, **options: Any) -> Any:
            port = stands.port if options.get("client_id") == CLIENT else port
            return await real(host, port, **options)

        monkeypatch.setattr(aiokafka.client, "create_conn", create_conn)
        monkeypatch.setattr(publisher, "LATE_S", 0.5)
        yield stands


@dataclass
class Seen:
    """What a relay was seen to do: how often it looked for rows, and which values it gave to its producer."""

    looks: int = 0
    given: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def relaying(at: Installation, name: str) -> AsyncIterator[Seen]:
    """Run a relay of a service in this process, through the proxy, and watch it."""
    seen = Seen()
    where = {"kafka": at.parts.kafka, "postgres": at.parts.postgres[name], "production": False}
    sender = producer(load(Settings, **where), CLIENT)
    await sender.start()
    relay = Relay(at.parts.postgres[name], sender, Metrics(), application="late", poll_s=0.2)
    read, make, send = relay._read, sender.create_batch, sender.send_batch

    async def seen_reading(session: Any) -> Any:
        seen.looks += 1
        return await read(session)

    def seen_batch() -> Any:
        batch = make()
        batch.values, add = [], batch.append

        def seen_adding(*, value: bytes, **record: Any) -> Any:
            added = add(value=value, **record)
            batch.values += [value] if added else []
            return added

        batch.append = seen_adding
        return batch

    async def seen_sending(batch: Any, topic: str, *, partition: int) -> Any:
        seen.given += batch.values
        return await send(batch, topic, partition=partition)

    relay._read, sender.create_batch, sender.send_batch = seen_reading, seen_batch, seen_sending
    task = asyncio.create_task(relay.run())
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_publish_that_lands_late_is_a_repeat_and_overtakes_nothing(
    install: Install, ask: Ask, judge: Judge, between: Proxy, exits: AsyncExitStack
) -> None:
    """F08: what follows the unknown waits; another worker sends all in order; what lands then is applied by nobody."""
    at = await install("inventory", "billing")
    oracle = await ask(at)
    api = at.api("billing")
    oracle.apis["billing"] = await exits.enter_async_context(at.http_client(api))
    billing = await asyncpg.connect(at.parts.postgres["billing"])
    exits.push_async_callback(billing.close)
    async with relaying(at, "billing") as seen:
        await until(lambda: seen.looks, within=10, what="the lease")
        await ready(at.worker("billing"), api)
        await oracle.purchase(1)
        await until(lambda: billing.fetchval(SAID, 1, 0), within=20, what="a first purchase, published")
        between.swallow()
        bought = await oracle.purchase(5)
        await until(lambda: billing.fetchval(SAID, 6, 15), within=20, what="what billing says of five more")
        await until(lambda: STARTED in between.swallowed, within=10, what="a wave in the proxy")
        for one in bought:
            await oracle.command("set_cycles", one, billing_cycles=7)
        assert await billing.fetchval(SAID, 6, 20)
        before = seen.looks
        await until(lambda: seen.looks > before + 5, within=10, what="looks for more")
        assert 3 < len(seen.given) == len(set(seen.given)) <= 3 + 15
        assert not any(b'"cycles_left":7' in value for value in seen.given)
    await until(lambda: billing.fetchval(SAID, 6, 0), within=20, what="all sent by the worker")
    assert (await gather(at)).repeats == 0
    between.heal()
    await until(lambda: landed(at), within=20, what="what was swallowed")
    await at.worker("inventory").ready()
    await judge(at, oracle)


async def landed(at: Installation) -> bool:
    """Whether what was swallowed lies on its topics now."""
    return (await gather(at)).repeats > 0
