"""A ledger as after years of use: 24 months of charges of accounts in three levels, for tests and benchmarks.

Half of the orders have one number, the largest have a thousand. One of ten orders is paid by a reseller, the others by
the accounts below it. Some setups are refunded. The triggers of the ledger keep the totals, from four sessions in turn,
so that there are as many rows of totals as with four writers.
"""

from contextlib import AsyncExitStack
from typing import Any, Final

import asyncpg

from harness.postgres import owner_dsn_of

MONTHS: Final = 24
RESELLERS: Final = 30
SHOPS: Final = 32
"""Accounts below each reseller."""
RESELLER: Final = "master/r07"
LEAF: Final = "master/r07/s00"
STRIPES: Final = 4

_ORDERS: Final = f"""
CREATE TABLE large_orders AS
SELECT n AS order_no, 'order ' || lpad(n::text, 6, '0') AS order_id, size, first,
    timestamptz '2024-01-01 00:00:00+00' + random() * interval '31 days' AS started,
    'master/r' || lpad((n % {RESELLERS})::text, 2, '0') || CASE WHEN n % 10 = 0 THEN ''
        ELSE '/s' || lpad((n / {RESELLERS} % {SHOPS})::text, 2, '0') END AS payer,
    (ARRAY['EUR', 'EUR', 'EUR', 'JPY', 'KWD'])[1 + n % 5] AS currency,
    (ARRAY[1.20, 1.20, 1.20, 150, 0.375])[1 + n % 5] AS amount
FROM (
    SELECT n, size, sum(size) OVER (ORDER BY n) - size AS first
    FROM (SELECT n, 1 + floor(1000 * random() ^ 12)::int AS size FROM generate_series(1, $1::int) AS s (n)) AS sized
) AS placed WHERE first < $1
"""
"""Orders of at least this many numbers in all."""
_COLUMNS: Final = """entry_id, did_id, number, position, order_id, payer, kind, amount, currency, period_start,
    period_end, reverses, posted_at, recorded_at"""
_RENEWALS: Final = f"""
INSERT INTO ledger ({_COLUMNS})
SELECT md5('entry' || n || '-' || $1)::uuid, md5('did' || n)::uuid, '+4420' || lpad(n::text, 9, '0'), $1 + 2, order_id,
    payer, CASE WHEN $1 = 0 THEN 'recurring' ELSE 'renewal' END, amount, currency, at, at + interval '1 month',
    NULL, at, at + interval '1 second'
FROM large_orders, LATERAL (SELECT started + $1 * interval '1 month' AS at) AS posted,
    generate_series(first, first + size - 1) AS s (n)
WHERE n % {STRIPES} = $2
"""
_SETUPS: Final = f"""
INSERT INTO ledger ({_COLUMNS})
SELECT md5('setup' || n)::uuid, md5('did' || n)::uuid, '+4420' || lpad(n::text, 9, '0'), 1, order_id,
    payer, 'setup', 2 * amount, currency, NULL, NULL, NULL, started, started + interval '1 second'
FROM large_orders, generate_series(first, first + size - 1) AS s (n) WHERE n % {STRIPES} = $1
"""
_REFUNDS: Final = f"""
INSERT INTO ledger ({_COLUMNS})
SELECT md5('refund' || entry_id)::uuid, did_id, number, 1000, order_id, payer, 'refund', -amount, currency, NULL, NULL,
    entry_id, posted_at + interval '40 days', recorded_at + interval '40 days'
FROM ledger WHERE kind = 'setup' AND did_id::text LIKE '00%'
"""
_INDEXES: Final = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'ledger' AND indexname <> 'ledger_pkey'"
)


async def fill(dsn: str, *, entries: int) -> None:
    """Write about this many entries: one setup and 24 periods of each DID."""
    settings = {
        "synchronous_commit": "off",
        "work_mem": "256MB",
        "maintenance_work_mem": "512MB",
        "jit": "off",
    }
    async with AsyncExitStack() as exits:
        sessions: dict[int, Any] = {}
        while len(sessions) < STRIPES:
            connection = await asyncpg.connect(owner_dsn_of(dsn), server_settings=settings)
            exits.push_async_callback(connection.close)
            sessions.setdefault(connection.get_server_pid() % STRIPES, connection)
        owner = sessions[0]
        await owner.execute("SELECT setseed(0.5)")
        await owner.execute(_ORDERS, max(1, entries // (MONTHS + 1)))
        indexes = await owner.fetch(_INDEXES)
        for name, _ in indexes:
            await owner.execute(f"DROP INDEX {name}")
        await owner.execute("ALTER TABLE ledger DROP CONSTRAINT ledger_pkey, DISABLE TRIGGER ledger_refunds")
        for part in range(STRIPES):
            await sessions[part].execute(_SETUPS, part)
        for month in range(MONTHS):
            for part in range(STRIPES):
                await sessions[part].execute(_RENEWALS, month, part)
        await owner.execute(_REFUNDS)
        await owner.execute("ALTER TABLE ledger ADD PRIMARY KEY (entry_id), ENABLE TRIGGER ledger_refunds")
        for _, definition in indexes:
            await owner.execute(definition)
        await owner.execute("DROP TABLE large_orders")
        await owner.execute("VACUUM ANALYZE ledger, account_totals, order_totals")
