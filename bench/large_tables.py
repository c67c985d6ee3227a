"""Fills state tables as they are after years of use: terms of live numbers, and the inbox of their messages.

Rows are written in the order of their keys and indexed afterwards. This takes minutes and gives the same tables.
No term is due before six hours have passed. From then on, groups of terms become due, two minutes apart. The terms of
a group are on pages all over the table.
"""

from typing import Final

import asyncpg
from harness.postgres import owner_dsn_of

GROUP: Final = 10_000
"""The number of terms that become due together, within so many milliseconds."""

TERMS = """
INSERT INTO terms (did_id, number, account, payer, order_id, state, price, billing_period, cycles_left, purchased_at,
    period, period_start, expires_at, anchor, anchor_months, free_days, registration, completed, accepted, charges,
    entry_count, sequences, due_at, version, sequence, correlation_id)
SELECT md5('did' || n)::uuid AS did_id, '+4420' || lpad((8 * 10^8 + n)::bigint::text, 9, '0'), 'master/acme',
    'master/acme', 'F-' || n, 'active',
    '{"setup": {"amount": "1.00", "currency": "GBP"}, "recurring": {"amount": "0.80", "currency": "GBP"}}',
    1, NULL, due - interval '1 month', 1, due - interval '1 month', due, due - interval '1 month', 1, 0,
    'not_required', true, true, '[]', 2, '{"stock": 1, "registration": 1}', due, 3, 3, 'purchase-' || n
FROM (SELECT n, now() + interval '6 hours' + (n - 1) / $2::int * interval '2 minutes' + n % $2 * interval '1 ms' AS due
      FROM generate_series(1, $1::int) AS s (n)) AS sold ORDER BY 1
"""
ADVANCE = """
UPDATE clock SET shift = (SELECT due_at FROM terms WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
    + interval '1 minute' - clock_timestamp()
"""
INBOX = """
INSERT INTO inbox (id, digest, decision, seen_at)
SELECT decode(md5('event' || n), 'hex'), decode(md5('a' || n) || md5('b' || n), 'hex'), 'decided', now()
FROM generate_series(1, $1::int) AS s (n) ORDER BY 1
"""
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1::text[]) AND indexname NOT LIKE '%pkey'
"""
TABLES = ("terms", "inbox")


async def fill(dsn: str, rows: int) -> None:
    """Write this many rows into both tables."""
    connection = await asyncpg.connect(
        owner_dsn_of(dsn), server_settings={"work_mem": "256MB", "maintenance_work_mem": "512MB"}
    )
    try:
        indexes = await connection.fetch(INDEXES, list(TABLES))
        for name, _ in indexes:
            await connection.execute(f"DROP INDEX {name}")
        await connection.execute(TERMS, rows, GROUP)
        await connection.execute(INBOX, rows)
        for _, definition in indexes:
            await connection.execute(definition)
        for table in TABLES:
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


async def make_group_due(dsn: str) -> None:
    """Advance the time of the service, so that the next group of terms is due."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(ADVANCE)
    finally:
        await connection.close()
