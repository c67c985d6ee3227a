"""F16: a consumer is much slower than its producers and has a large backlog."""

import asyncio
import os

import asyncpg
import psutil
import pytest
from faults.bulk_purchases import publish, purchase_records
from faults.installation import Install, Member
from harness.postgres import owner_dsn_of
from harness.processes import until

from didflow_contracts.events import DidPurchased

BACKLOG = 100_000 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 15_000
PADDING = 6_000
"""Unused bytes in each record, so that the backlog is larger than a worker may keep in memory."""
SLOW_S = 0.3
MAX_GROWTH_MB = 80
"""The memory that a worker may use for the backlog. It is less than the size of the backlog."""
SLOW_DOWN = f"""
CREATE FUNCTION slower() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({SLOW_S}); RETURN NULL; END $$;
CREATE TRIGGER slower AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION slower();
"""
SPEED_UP = "DROP TRIGGER slower ON inbox"
TERMS = "SELECT count(*) FROM terms"


def resident_mb(member: Member) -> float:
    """Return the resident memory of a process in MB."""
    size: int = psutil.Process(member.process.pid).memory_info().rss
    return size / 2**20


@pytest.mark.faults
async def test_a_large_backlog_does_not_raise_memory_and_is_processed(install: Install, kafka: str) -> None:
    """F16: ten times slower, a backlog larger than memory. Memory is flat, no member is evicted, the lag drains."""
    installation = await install("billing")
    await publish(
        kafka,
        f"{installation.parts.topic_prefix}{DidPurchased.topic}",
        purchase_records(BACKLOG, padding=PADDING),
    )
    connection = await asyncpg.connect(owner_dsn_of(installation.parts.postgres["billing"]))
    await connection.execute(SLOW_DOWN)
    worker = await installation.worker("billing").ready()
    idle, measured = resident_mb(worker), []
    while (terms := await connection.fetchval(TERMS)) < BACKLOG // 3:
        measured.append((terms, resident_mb(worker)))
        await asyncio.sleep(0.1)
    await connection.execute(SPEED_UP)

    async def drained() -> bool:
        measured.append((await connection.fetchval(TERMS), resident_mb(worker)))
        await asyncio.sleep(0.1)
        return measured[-1][0] == BACKLOG

    await until(drained, within=BACKLOG / 200, what="the whole backlog")
    await connection.close()
    first_half = max(mb for terms, mb in measured if terms <= BACKLOG // 2)
    second_half = max(mb for terms, mb in measured if terms > BACKLOG // 2)
    print(f"{idle:.0f} MB idle, {first_half:.0f} MB in the first half, {second_half:.0f} MB in the second")  # noqa: T201
    assert second_half < first_half * 1.1
    assert max(first_half, second_half) < idle + MAX_GROWTH_MB
    assert worker.process.log.read_text().count("Partitions were assigned") == 1
