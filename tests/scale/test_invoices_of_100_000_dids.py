"""The invoices of a month of 100,000 DIDs add up to the ledger and to the balances."""

import pytest
from harness.fixtures import OnPostgres
from harness.month_of_invoices import BEGIN, check, live

from didflow.services import service


@pytest.mark.scale
async def test_invoices_of_a_month_of_100_000_dids_add_up_to_the_ledger(on_postgres: OnPostgres) -> None:
    """By payer and currency, in both formats, page by page, and to the same bytes after later writes."""
    billing = await on_postgres(service("billing"), now=BEGIN)
    await live(billing, 100_000)
    await check(billing)
