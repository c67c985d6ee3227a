"""Terms of billing that become due at the same time, as at the end of a month, and the count of their renewals."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

FIRST: Final = 8_000_000
"""The last seven digits of the first number. The numbers of purchases in a test must be lower."""
_FILL: Final = """
INSERT INTO terms (did_id, number, account, payer, order_id, state, price, billing_period, cycles_left, purchased_at,
    period, period_start, expires_at, anchor, anchor_months, free_days, registration, completed, accepted, charges,
    entry_count, sequences, due_at, version, sequence, correlation_id)
SELECT md5('due' || n)::uuid, '+44207' || n, 'master/acme', 'master/acme', 'D-' || n, 'active',
    '{"setup": {"amount": "1.00", "currency": "GBP"}, "recurring": {"amount": "0.80", "currency": "GBP"}}',
    1, NULL, bought, 1, bought, bought + interval '1 month', bought, 1, 0, 'not_required', true, true, '[]', 2,
    '{"stock": 1, "registration": 1}', bought + interval '1 month', 3, 3, 'purchase-' || n
FROM (SELECT n, now() + interval '1 hour' - interval '1 month' + (n - $1) * $3::interval AS bought
      FROM generate_series($1::bigint, $2::bigint - 1) AS s (n)) AS sold
"""
_ADVANCE: Final = """
UPDATE clock SET shift = (SELECT max(due_at) FROM terms) + interval '1 minute' - clock_timestamp()
"""
LEFT: Final = """
SELECT coalesce((SELECT min(due_at) FROM terms) <= (SELECT clock_timestamp() + shift FROM clock), false)
    OR EXISTS (SELECT FROM outbox)
"""
"""It reads one entry of the index. A question for any due row would read the table and slow down what is measured."""
_RENEWALS: Final = """
SELECT count(*) AS entries, count(DISTINCT did_id) AS terms FROM ledger WHERE kind = 'renewal' AND order_id LIKE 'D-%'
"""
_CHARGED: Final = """
SELECT count(*) AS entries, count(DISTINCT did_id) AS terms FROM ledger WHERE kind = 'recurring'
"""
_APART: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Charges:
    """Charges of one kind in the ledger: entries, and the terms that they are of."""

    entries: int
    terms: int


@dataclass(frozen=True, kw_only=True)
class DueTerms:
    """Due terms in the database of one connection. Nothing is due before `make_due`."""

    connection: Any
    count: int

    async def fill(self, apart: timedelta = _APART) -> None:
        """Write the terms. They become due one after another, this far apart, the first one in an hour."""
        await self.connection.execute(_FILL, FIRST, FIRST + self.count, apart)
        await self.connection.execute("VACUUM ANALYZE terms")

    async def make_due(self) -> None:
        """Advance the time of the service, so that all are due."""
        await self.connection.execute(_ADVANCE)

    async def is_over(self) -> bool:
        """Return True if nothing is due and everything is published. The question costs a row, not a count."""
        return not await self.connection.fetchval(LEFT)

    async def renewals(self) -> Charges:
        """Count the renewals of the due terms."""
        return Charges(**dict(await self.connection.fetchrow(_RENEWALS)))

    async def first_periods(self) -> Charges:
        """Count the charges for the first period, which are those of purchases in the test."""
        return Charges(**dict(await self.connection.fetchrow(_CHARGED)))


async def due_terms(dsn: str, count: int, *, apart: timedelta = _APART) -> DueTerms:
    """Connect to an empty database of billing and write this many terms, which become due this far apart."""
    terms = DueTerms(connection=await asyncpg.connect(dsn), count=count)
    await terms.fill(apart)
    return terms
