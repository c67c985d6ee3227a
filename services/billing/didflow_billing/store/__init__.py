"""How billing stores terms, the ledger and the price list, and how it reads them."""

from didflow_billing.store.queries import (
    LEDGER_SORTS,
    PRICE_FOR_EVERY_NUMBER,
    PRICE_SORTS,
    entry_in,
    ledger_conditions,
    ledger_entries,
    price_row_in,
    price_rows,
    series_in,
    series_named,
    term_in,
    terms_named,
)
from didflow_billing.store.tables import KINDS, METADATA, ledger, terms

__all__ = [
    "KINDS",
    "LEDGER_SORTS",
    "METADATA",
    "PRICE_FOR_EVERY_NUMBER",
    "PRICE_SORTS",
    "entry_in",
    "ledger",
    "ledger_conditions",
    "ledger_entries",
    "price_row_in",
    "price_rows",
    "series_in",
    "series_named",
    "term_in",
    "terms",
    "terms_named",
]
