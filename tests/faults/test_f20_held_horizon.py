"""F20: a forgotten transaction prevents the removal of all dead rows of the outbox.

A queue table depends on the removal of its dead rows. Here it has the dead rows of ten minutes at once.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from faults.bulk_purchases import publish, purchase_records
from faults.installation import Install, Installation
from harness.processes import until

from didflow.embedded.postgres import EmbeddedPostgres
from didflow_contracts.events import DidPurchased

RATE = 500
SECONDS = 60 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 6
DEAD_ROWS = 10 * 60 * RATE
ADD_DEAD_ROWS = f"""
WITH added AS (INSERT INTO outbox (topic, key, value) SELECT 'none', 'k', repeat('x', 100)::bytea
    FROM generate_series(1, {DEAD_ROWS}) RETURNING id) SELECT count(*) FROM added
"""
IS_PUBLISHED = "SELECT (SELECT count(*) FROM terms) = $1 AND NOT EXISTS (SELECT FROM outbox)"
IS_VACUUMED = (
    "SELECT autovacuum_count > 0 AND n_dead_tup < 10000 FROM pg_stat_user_tables WHERE relname = 'outbox'"
)
SIZE = "SELECT pg_total_relation_size('outbox')"


@pytest.fixture
async def frequent_vacuum(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """Let the server look for dead rows every second, not every minute. The thresholds of the tables are unchanged."""
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    await admin.execute("SELECT pg_reload_conf()")
    yield
    await admin.execute("ALTER SYSTEM RESET autovacuum_naptime")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


@asynccontextmanager
async def held_horizon(dsn: str) -> AsyncIterator[None]:
    """Hold the horizon with a session that has read once and then stays idle."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("SELECT count(*) FROM outbox")
            yield
    finally:
        await connection.close()


async def publish_load(installation: Installation, connection: asyncpg.Connection, seconds: range) -> float:
    """Publish purchases at the rate during these seconds of the test. Return how many per second were published."""
    topic, began = f"{installation.parts.topic_prefix}{DidPurchased.topic}", time.monotonic()
    for passed, second in enumerate(seconds, 1):
        await publish(installation.parts.kafka, topic, purchase_records(RATE, first=RATE * second))
        await asyncio.sleep(max(0, began + passed - time.monotonic()))
    total = RATE * seconds.stop
    await until(lambda: connection.fetchval(IS_PUBLISHED, total), within=60, what="all purchases published")
    return RATE * len(seconds) / (time.monotonic() - began)


@pytest.mark.faults
async def test_a_forgotten_transaction_does_not_slow_purchases_and_its_space_is_reused(
    install: Install, frequent_vacuum: None
) -> None:
    """F20: with ten minutes of dead rows, 500 purchases a second lose under a fifth. The space is used again."""
    installation = await install("billing")
    await installation.worker("billing").ready()
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    usual = await publish_load(installation, connection, range(SECONDS))
    async with held_horizon(installation.parts.postgres["billing"]):
        async with connection.transaction():
            await connection.fetchval(ADD_DEAD_ROWS)
            await connection.execute("DELETE FROM outbox WHERE topic = 'none'")
        with_dead_rows = await publish_load(installation, connection, range(SECONDS, 2 * SECONDS))
        largest = await connection.fetchval(SIZE)
    print(f"{usual:.0f} a second usually, {with_dead_rows:.0f} with {DEAD_ROWS} dead rows")  # noqa: T201 - for the report
    assert with_dead_rows > 0.8 * usual
    await until(
        lambda: connection.fetchval(IS_VACUUMED), within=30, what="the outbox vacuumed by the server itself"
    )
    await publish_load(installation, connection, range(2 * SECONDS, 2 * SECONDS + 2))
    assert await connection.fetchval(SIZE) < largest
    await connection.close()
