"""F11: a release that cannot decide any message is deployed. It must not turn the traffic into dead letters."""

import asyncpg
import httpx
from faults.installation import Install, Member, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from harness.processes import until

from didflow_chassis.stage.breaker import LIMIT
from didflow_contracts.events import DidPurchased

RECORDS = 200
MOST_FAILED = """
SELECT count(*) FROM parked WHERE reason IN ('retry', 'dead') GROUP BY topic, partition ORDER BY 1 DESC LIMIT 1
"""
"""The largest number of failed records of one partition. Messages that wait behind them have not failed."""


async def breaker_is_open(member: Member) -> bool:
    """Return True if both the probe and the metrics of a worker report an open breaker."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        ready = await client.get(f"{member.health}/healthz/ready")
    metrics = await member.health_answer("/metrics") or ""
    return "breaker" in ready.text and "didflow_breaker_open 1.0" in metrics


async def test_a_release_that_fails_on_every_message_gives_up_none(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F11: partitions pause after under ten retries each; probe and metric say so. The next release decides all."""
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    bad, _ = await ready(
        installation.worker("billing", FAILPOINTS="stage.decide=raise"), installation.worker("inventory")
    )
    for _ in range(RECORDS):
        purchase = client.make()
        await client.send(DidPurchased.topic, purchase.value, purchase.number, partition=0)
        client.note(purchase)
    await until(lambda: breaker_is_open(bad), within=30, what="an open breaker")
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    assert (await connection.fetchval(MOST_FAILED) or 0) < LIMIT
    await connection.close()
    await bad.process.stop()
    await installation.worker("billing").ready()
    await check_invariants(installation, client)
