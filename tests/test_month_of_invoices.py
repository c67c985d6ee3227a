"""Invoices, ledger and balances are the same sums, to the last decimal. `make scale` does it with 100,000 DIDs."""

from harness.fixtures import OnPostgres
from harness.month_of_invoices import BEGIN, check, live

from didflow.services import service


async def test_invoices_of_a_month_add_up_to_the_ledger_and_to_the_balances(on_postgres: OnPostgres) -> None:
    """By payer and currency, in both formats, page by page, and to the same bytes after later writes."""
    billing = await on_postgres(service("billing"), now=BEGIN)
    await live(billing, 300)
    await check(billing)
