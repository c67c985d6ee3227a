"""F20: somebody forgets a transaction, and no dead row of the outbox can be removed while it lasts.

A queue table lives from its dead rows being removed; here those of ten minutes lie there at once.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from faults.bulk import publish, purchase_records
from faults.installation import Install, Installation
from harness.processes import until

from didflow.embedded.postgres import EmbeddedPostgres
from didflow_contracts.events import DidPurchased

RATE = 500
SECONDS = 60 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 6
DEAD_ROWS = 10 * 60 * RATE
CHURN = f"""
WITH gone AS (INSERT INTO outbox (topic, key, value) SELECT 'none', 'k', repeat('x', 100)::bytea
    FROM generate_series(1, {DEAD_ROWS}) RETURNING id) SELECT count(*) FROM gone
"""
DONE = "SELECT (SELECT count(*) FROM terms) = $1 AND NOT EXISTS (SELECT FROM outbox)"
CLEAN = "SELECT autovacuum_count > 0 AND n_dead_tup < 10000 FROM pg_stat_user_tables WHERE relname = 'outbox'"
SIZE = "SELECT pg_total_relation_size('outbox')"


@pytest.fixture
async def often_vacuumed(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """The server looks for dead rows every second, not every minute; what it looks for is the table's own."""
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    await admin.execute("SELECT pg_reload_conf()")
    yield
    await admin.execute("ALTER SYSTEM RESET autovacuum_naptime")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


@asynccontextmanager
async def holding(dsn: str) -> AsyncIterator[None]:
    """Hold the horizon: a session that has read once and is then forgotten."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("SELECT count(*) FROM outbox")
            yield
    finally:
        await connection.close()


async def load(at: Installation, connection: asyncpg.Connection, seconds: range) -> float:
    """Sell at the rate in these seconds of the test; return how many a second were sold and published."""
    topic, began = f"{at.parts.topic_prefix}{DidPurchased.topic}", time.monotonic()
    for passed, second in enumerate(seconds, 1):
        await publish(at.parts.kafka, topic, purchase_records(RATE, first=RATE * second))
        await asyncio.sleep(max(0, began + passed - time.monotonic()))
    total = RATE * seconds.stop
    await until(lambda: connection.fetchval(DONE, total), within=60, what="all sold and published")
    return RATE * len(seconds) / (time.monotonic() - began)


@pytest.mark.faults
async def test_a_forgotten_transaction_slows_nothing_down_and_leaves_nothing_behind(
    install: Install, often_vacuumed: None
) -> None:
    """F20: with ten minutes of dead rows, 500 purchases a second lose under a fifth; their space is used again."""
    at = await install("billing")
    await at.worker("billing").ready()
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    usual = await load(at, connection, range(SECONDS))
    async with holding(at.parts.postgres["billing"]):
        async with connection.transaction():
            await connection.fetchval(CHURN)
            await connection.execute("DELETE FROM outbox WHERE topic = 'none'")
        held = await load(at, connection, range(SECONDS, 2 * SECONDS))
        most = await connection.fetchval(SIZE)
    print(f"{usual:.0f} a second as usual, {held:.0f} with {DEAD_ROWS} dead rows")  # noqa: T201 - for the report
    assert held > 0.8 * usual
    await until(
        lambda: connection.fetchval(CLEAN), within=30, what="the outbox vacuumed by the server itself"
    )
    await load(at, connection, range(2 * SECONDS, 2 * SECONDS + 2))
    assert await connection.fetchval(SIZE) < most
    await connection.close()
