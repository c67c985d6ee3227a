"""F32: the network is slow, then half open: towards the database, then towards the broker.

Every connection of one worker goes through proxies. The loss of packets is a written procedure, because only the
kernel can lose packets.
"""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from faults.installation import Install, Installation, InstallOn, Member, ready
from faults.invariants import CheckInvariants
from faults.proxy import Proxy, proxy
from faults.recording_client import OpenClient
from faults.steady_load import steady_purchases
from harness.processes import until
from harness.topics import admin

LONG: Final = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
DELAY_S: Final = 0.5 if LONG else 0.05
"""The delay in one direction. A transaction has about a dozen round trips."""
SESSION_MS: Final = 6_000 if LONG else 3_000
TIMEOUTS: Final = {
    "STATEMENT_TIMEOUT_MS": str(SESSION_MS // 2),
    "SESSION_TIMEOUT_MS": str(SESSION_MS),
    "HEARTBEAT_MS": str(SESSION_MS // 6),
}
RECOVERED_S: Final = 90 if LONG else 45


def port_of(address: str) -> int:
    """Return the port of `host:port` or of a DSN."""
    return int(address.rpartition(":")[2].partition("/")[0])


def start_behind_proxies(database: Proxy, kafka: Proxy, install_on: InstallOn, dsn: str) -> Member:
    """Start billing's worker behind two proxies."""
    rerouted = dsn.replace(f":{port_of(dsn)}/", f":{database.port}/")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(Path(__file__).parent / "via_proxy"))
        environment.setenv("KAFKA_VIA", str(kafka.port))
        return install_on({"billing": rerouted}, is_checked=False).worker("billing", **TIMEOUTS)


async def not_ready(member: Member) -> bool:
    """Return True if the readiness probe of a process fails."""
    return await member.health_answer("/healthz/ready") is None


async def is_ready(member: Member) -> bool:
    """Return True if the readiness probe of a process succeeds."""
    return not await not_ready(member)


async def left_group(installation: Installation) -> bool:
    """Return True if billing's group has no member."""
    async with admin(installation.parts.kafka) as client:
        (answer,) = await client.describe_consumer_groups([f"{installation.parts.topic_prefix}billing"])
    ((_, _, state, *_),) = answer.groups
    return state in ("Empty", "Dead")


@pytest.mark.faults
async def test_a_slow_or_half_open_network_loses_nothing(
    install: Install,
    install_on: InstallOn,
    open_client: OpenClient,
    check_invariants: CheckInvariants,
    exits: AsyncExitStack,
) -> None:
    """F32: slow, then half open towards the database, then the broker, under load. All recovers; I1 to I5 hold."""
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    dsn = installation.parts.postgres["billing"]
    database = await exits.enter_async_context(proxy(port_of(dsn)))
    kafka = await exits.enter_async_context(proxy(port_of(installation.parts.kafka)))
    worker, _ = await ready(
        start_behind_proxies(database, kafka, install_on, dsn), installation.worker("inventory")
    )
    async with steady_purchases(client, every=0.1):
        database.delay_s = kafka.delay_s = DELAY_S
        await client.purchase(50)
        database.withhold()
        await until(lambda: not_ready(worker), within=20, what="a worker that is not ready")
        database.heal()
        await until(
            lambda: is_ready(worker), within=RECOVERED_S, what="a worker that reaches its database again"
        )
        kafka.withhold()
        await until(lambda: left_group(installation), within=20, what="a group without its member")
        kafka.heal()
        await until(
            lambda: is_ready(worker), within=RECOVERED_S, what="a worker that reaches the broker again"
        )
        database.delay_s = kafka.delay_s = 0.0
    await check_invariants(installation, client)
    assert worker.process.exit_code is None
