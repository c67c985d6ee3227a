"""F11: a release that cannot decide any message is deployed. It must not turn the traffic into dead letters."""

import asyncio
from itertools import cycle

import asyncpg
import httpx
from faults.installation import ACCOUNTS, Install, Member, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from harness.processes import until

from didflow_chassis.stage.breaker import MIN_ENTITIES
from didflow_contracts.events import DidPurchased

RECORDS = 200
TRIES = 5
"""More than the attempts of a message, if each one counted."""
COUNT_FAILED = "SELECT count(*) FROM parked WHERE reason IN ('retry', 'dead')"
MOST_GIVEN_UP = "SELECT count(*) FROM dead_letters GROUP BY topic, partition ORDER BY 1 DESC LIMIT 1"
MOVE_CLOCK = "UPDATE parked SET due_at = due_at - interval '10 minutes' WHERE due_at IS NOT NULL"


async def breaker_is_open(member: Member) -> bool:
    """Return True if both the probe and the metrics of a worker report an open breaker."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        ready = await client.get(f"{member.health}/healthz/ready")
    metrics = await member.health_answer("/metrics") or ""
    return "breaker" in ready.text and 'didflow_breaker_open{type="didflow.did.purchased.v1"} 1.0' in metrics


async def test_a_release_that_fails_on_every_message_gives_up_none(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F11: all are retried, under ten are given up; probe, metric and log say so. The next release decides all."""
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    (bad,) = await ready(installation.worker("billing", FAILPOINTS="stage.decide=raise"))
    for _, account in zip(range(RECORDS), cycle(ACCOUNTS)):
        purchase = client.make(account=account)
        await client.send(DidPurchased.topic, purchase.value, purchase.number, partition=0)
        client.note(purchase)
    await until(lambda: breaker_is_open(bad), within=30, what="an open breaker")
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    await until(
        lambda: connection.fetchval(f"{COUNT_FAILED} HAVING count(*) >= {RECORDS}"),
        within=30,
        what="the first attempt at each record",
    )
    # Inventory starts now, so that its events wait behind the purchases. Too few to open a breaker would be given up.
    await ready(installation.worker("inventory"))
    for _ in range(TRIES):
        await asyncio.sleep(2)
        await connection.execute(MOVE_CLOCK)
    assert (await connection.fetchval(MOST_GIVEN_UP) or 0) < MIN_ENTITIES
    assert await breaker_is_open(bad)
    assert "The breaker has opened" in bad.process.log.read_text()
    await bad.process.stop()
    await installation.worker("billing").ready()
    await connection.execute(MOVE_CLOCK)
    await connection.close()
    await check_invariants(installation, client)
