"""F11: a release is deployed that can decide nothing. It must not turn the traffic into dead letters."""

import asyncpg
import httpx
from faults.installation import Install, Member, ready
from faults.invariants import Judge
from faults.oracle import Ask
from harness.processes import until

from didflow_chassis.stage.breaker import LIMIT
from didflow_contracts.events import DidPurchased

RECORDS = 200
MOST = """
SELECT count(*) FROM parked WHERE reason IN ('retry', 'dead') GROUP BY topic, partition ORDER BY 1 DESC LIMIT 1
"""
"""How many records of one partition were put off or given up, at most; what waits behind them has not failed."""


async def broken(member: Member) -> bool:
    """Whether a worker says that its breaker is open, to the probe and in its metrics."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        ready = await client.get(f"{member.health}/healthz/ready")
    metrics = await member.health_answer("/metrics") or ""
    return "breaker" in ready.text and "didflow_breaker_open 1.0" in metrics


async def test_a_release_that_fails_on_everything_gives_up_on_nothing(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F11: partitions pause, under ten records of each are put off, probe and metric say so; the next takes all."""
    at = await install("inventory", "billing")
    oracle = await ask(at)
    bad, _ = await ready(at.worker("billing", FAILPOINTS="stage.decide=raise"), at.worker("inventory"))
    for _ in range(RECORDS):
        one = oracle.make()
        await oracle.send(DidPurchased.topic, one.value, one.number, partition=0)
        oracle.note(one)
    await until(lambda: broken(bad), within=30, what="an open breaker")
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    assert (await connection.fetchval(MOST) or 0) < LIMIT
    await connection.close()
    await bad.process.stop()
    await at.worker("billing").ready()
    await judge(at, oracle)
