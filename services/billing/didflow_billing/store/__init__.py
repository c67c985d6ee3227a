"""How billing stores terms, the ledger and the price list, and how it reads them."""

from didflow_billing.store.queries import (
    LEDGER_SORTS,
    PRICE_FOR_EVERY_NUMBER,
    PRICE_SORTS,
    ledger_conditions,
    ledger_entries,
    price_row_in,
    price_rows,
    recorded_in,
    series_in,
    series_named,
    term_in,
    terms_named,
)
from didflow_billing.store.tables import KINDS, METADATA, account_totals, ledger, order_totals, terms

__all__ = [
    "KINDS",
    "LEDGER_SORTS",
    "METADATA",
    "PRICE_FOR_EVERY_NUMBER",
    "PRICE_SORTS",
    "account_totals",
    "ledger",
    "ledger_conditions",
    "ledger_entries",
    "order_totals",
    "price_row_in",
    "price_rows",
    "recorded_in",
    "series_in",
    "series_named",
    "term_in",
    "terms",
    "terms_named",
]
