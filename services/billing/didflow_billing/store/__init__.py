"""How billing stores terms and the ledger, and how it reads them."""

from didflow_billing.store.queries import (
    LEDGER_SORTS,
    entry_in,
    ledger_conditions,
    ledger_entries,
    term_in,
    terms_named,
)
from didflow_billing.store.tables import KINDS, METADATA, ledger, terms

__all__ = [
    "KINDS",
    "LEDGER_SORTS",
    "METADATA",
    "entry_in",
    "ledger",
    "ledger_conditions",
    "ledger_entries",
    "term_in",
    "terms",
    "terms_named",
]
