"""Billing over HTTP. Routes translate requests and results; decisions are in `domain/`."""

from collections.abc import Iterable

from didflow_billing.api import balances, invoices, ledger, prices, terms
from didflow_chassis.http import Router


def routers() -> Iterable[Router]:
    """Return the routes of billing."""
    return (terms.router, ledger.router, balances.router, invoices.router, prices.router)
