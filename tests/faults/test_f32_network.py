"""F32: the network is slow, and then takes everything without a word: to the database, to the broker, to one alone.

Every connection of one worker goes through proxies. Loss of packets is a written procedure: it needs the kernel.
"""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from faults.installation import Install, Installation, InstallOn, Member, ready
from faults.invariants import Judge
from faults.load import loading
from faults.oracle import Ask
from faults.proxy import Proxy, proxy
from harness.processes import until
from harness.topics import admin

LONG: Final = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
DELAY_S: Final = 0.5 if LONG else 0.05
"""One way; a transaction goes to and fro a dozen times."""
SESSION_MS: Final = 6_000 if LONG else 3_000
PATIENCE: Final = {
    "STATEMENT_TIMEOUT_MS": str(SESSION_MS // 2),
    "SESSION_TIMEOUT_MS": str(SESSION_MS),
    "HEARTBEAT_MS": str(SESSION_MS // 6),
}
RECOVERED_S: Final = 90 if LONG else 45


def port_of(address: str) -> int:
    """Return the port of `host:port` or of a DSN."""
    return int(address.rpartition(":")[2].partition("/")[0])


def start_behind(database: Proxy, kafka: Proxy, install_on: InstallOn, dsn: str) -> Member:
    """Start billing's worker behind two proxies."""
    rerouted = dsn.replace(f":{port_of(dsn)}/", f":{database.port}/")
    with pytest.MonkeyPatch.context() as told:
        told.setenv("PYTHONPATH", str(Path(__file__).parent / "via_proxy"))
        told.setenv("KAFKA_VIA", str(kafka.port))
        return install_on({"billing": rerouted}).worker("billing", **PATIENCE)


async def sick(member: Member) -> bool:
    """Whether a process says that it is not ready."""
    return await member.health_answer("/healthz/ready") is None


async def well(member: Member) -> bool:
    """Whether a process says that it is ready."""
    return not await sick(member)


async def expelled(at: Installation) -> bool:
    """Whether billing's group has given its member up."""
    async with admin(at.parts.kafka) as client:
        (answer,) = await client.describe_consumer_groups([f"{at.parts.topic_prefix}billing"])
    ((_, _, state, *_),) = answer.groups
    return state in ("Empty", "Dead")


@pytest.mark.faults
async def test_a_slow_network_and_one_that_swallows_cost_time_and_nothing_else(
    install: Install, install_on: InstallOn, ask: Ask, judge: Judge, exits: AsyncExitStack
) -> None:
    """F32: late; then half open towards the database; then towards the broker; under load: caught up, I1 to I5."""
    at = await install("inventory", "billing")
    oracle = await ask(at)
    dsn = at.parts.postgres["billing"]
    database = await exits.enter_async_context(proxy(port_of(dsn)))
    kafka = await exits.enter_async_context(proxy(port_of(at.parts.kafka)))
    worker, _ = await ready(start_behind(database, kafka, install_on, dsn), at.worker("inventory"))
    async with loading(oracle, every=0.1):
        database.delay_s = kafka.delay_s = DELAY_S
        await oracle.purchase(50)
        database.swallow()
        await until(lambda: sick(worker), within=20, what="a worker that says it is not ready")
        database.heal()
        await until(lambda: well(worker), within=RECOVERED_S, what="a worker that reaches its database again")
        kafka.swallow()
        await until(lambda: expelled(at), within=20, what="a group without its member")
        kafka.heal()
        await until(lambda: well(worker), within=RECOVERED_S, what="a worker that reaches the broker again")
        database.delay_s = kafka.delay_s = 0.0
    await judge(at, oracle)
    assert worker.process.exit_code is None
