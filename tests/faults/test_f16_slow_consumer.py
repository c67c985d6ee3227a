"""F16: a consumer is much slower than what comes, and a great backlog lies before it."""

import asyncio
import os

import asyncpg
import psutil
import pytest
from faults.bulk import publish, purchase_records
from faults.installation import Install, Member
from harness.processes import until

from didflow_contracts.events import DidPurchased

BACKLOG = 100_000 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 15_000
PADDING = 6_000
"""Bytes of each record that nobody needs: the backlog is larger than what a worker may hold of it."""
SLOW_S = 0.3
HELD_MB = 80
"""What the backlog may cost a worker on top of what it takes to run: less than its bytes, however long it is."""
SLOWER = f"""
CREATE FUNCTION slower() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({SLOW_S}); RETURN NULL; END $$;
CREATE TRIGGER slower AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION slower();
"""
HEALED = "DROP TRIGGER slower ON inbox"
TAKEN = "SELECT count(*) FROM terms"


def resident(member: Member) -> float:
    """Return the megabytes that a process holds."""
    held: int = psutil.Process(member.process.pid).memory_info().rss
    return held / 2**20


@pytest.mark.faults
async def test_a_backlog_costs_no_memory_and_drains_once_the_handler_is_fast(
    install: Install, kafka: str
) -> None:
    """F16: ten times slower, a backlog beyond what fits: memory stays flat, nobody is evicted, and the lag drains."""
    at = await install("billing")
    await publish(
        kafka, f"{at.parts.topic_prefix}{DidPurchased.topic}", purchase_records(BACKLOG, padding=PADDING)
    )
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    await connection.execute(SLOWER)
    worker = await at.worker("billing").ready()
    idle, seen = resident(worker), []
    while (taken := await connection.fetchval(TAKEN)) < BACKLOG // 3:
        seen.append((taken, resident(worker)))
        await asyncio.sleep(0.1)
    await connection.execute(HEALED)

    async def drained() -> bool:
        seen.append((await connection.fetchval(TAKEN), resident(worker)))
        await asyncio.sleep(0.1)
        return seen[-1][0] == BACKLOG

    await until(drained, within=BACKLOG / 200, what="the whole backlog")
    await connection.close()
    early = max(mb for taken, mb in seen if taken <= BACKLOG // 2)
    late = max(mb for taken, mb in seen if taken > BACKLOG // 2)
    print(f"{idle:.0f} MB idle, {early:.0f} MB in the first half, {late:.0f} MB in the second")  # noqa: T201
    assert late < early * 1.1
    assert max(early, late) < idle + HELD_MB
    assert worker.process.log.read_text().count("Partitions were assigned") == 1
